"""Events as the client writes them, to a file and to a real server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from stages.publish.__main__ import main
from stages.publish.facts import Facts
from stages.publish.openlineage import lineage_events, lineage_file, run_uuid, send_events
from tests.publish.tree import write_tree


def lines(facts: Facts) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lineage_file(lineage_events(facts)).splitlines()]


def test_each_stage_that_ran_starts_and_completes(facts: Facts) -> None:
    events = lines(facts)
    assert [(one["job"]["name"], one["eventType"]) for one in events] == [
        ("ingest@forum", "START"),
        ("ingest@forum", "COMPLETE"),
        ("ingest@notes", "START"),
        ("ingest@notes", "COMPLETE"),
        ("split", "START"),
        ("split", "COMPLETE"),
        ("train", "START"),
        ("train", "COMPLETE"),
    ]
    assert {one["eventTime"] for one in events} == {"2026-10-02T00:00:00Z"}
    assert {one["job"]["namespace"] for one in events} == {"small-set"}
    assert len({one["run"]["runId"] for one in events}) == 4


def test_data_sets_have_schema_hash_and_counts_and_no_absolute_path(facts: Facts, tree: Path) -> None:
    [split] = [one for one in lines(facts) if (one["job"]["name"], one["eventType"]) == ("split", "COMPLETE")]
    assert [one["name"] for one in split["inputs"]] == [
        "data/records/forum.parquet",
        "data/records/notes.parquet",
    ]
    train = split["outputs"][0]
    assert train["name"] == "data/splits/train.parquet"
    assert train["facets"]["version"]["datasetVersion"] == f"sha256:{facts.splits[0].file.sha256}"
    assert train["facets"]["schema"]["fields"][0] == {"fields": [], "name": "id", "type": "string"}
    assert train["outputFacets"]["outputStatistics"]["rowCount"] == 4
    assert str(tree) not in lineage_file(lineage_events(facts)).decode()


def test_events_are_what_the_client_can_read_back(facts: Facts) -> None:
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

    for one in lines(facts):
        one.pop("schemaURL")
        parsed = RunEvent(
            eventType=RunState(one.pop("eventType")),
            run=Run(**one.pop("run")),
            job=Job(**one.pop("job")),
            inputs=[InputDataset(**each) for each in one.pop("inputs")],
            outputs=[OutputDataset(**each) for each in one.pop("outputs")],
            **one,
        )
        assert parsed.producer == "urn:exemplars:publish"


def test_a_run_is_named_by_what_it_read_and_wrote(facts: Facts) -> None:
    ingest, other, *_ = facts.pipeline
    changed = msgspec.structs.replace(ingest.outputs[0], sha256="0" * 64)
    assert run_uuid(ingest) == run_uuid(msgspec.structs.replace(ingest, description="another"))
    assert run_uuid(ingest) != run_uuid(msgspec.structs.replace(ingest, outputs=(changed,)))
    assert run_uuid(ingest) != run_uuid(other)
    assert run_uuid(ingest).version == 5


class Endpoint(HTTPServer):
    """A server that keeps what it is sent, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 201
        self.received: list[tuple[str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_endpoint_gets_what_the_file_holds(facts: Facts, endpoint: Endpoint) -> None:
    events = lineage_events(facts)
    assert send_events(events, endpoint.url) is None
    assert endpoint.received == [("/api/v1/lineage", one) for one in lines(facts)]


def test_an_endpoint_that_refuses_is_told_in_a_sentence(facts: Facts, endpoint: Endpoint) -> None:
    endpoint.status = 500
    problem = send_events(lineage_events(facts), endpoint.url)
    assert str(problem) == (
        f"{endpoint.url}: lineage_not_sent: found HTTP status 500 after 0 of 8 events, expected an OpenLineage "
        "endpoint that answers; the events are in reports/openlineage.jsonl; to send them again: "
        "`dvc repro -f -s publish`"
    )
    assert len(endpoint.received) == 1


def test_an_endpoint_that_is_down_fails_nothing_and_the_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vl_convert.javascript_bundle", lambda snippet: "")
    write_tree(tmp_path, {"forum": "MIT"}, {"openlineage_url": "http://127.0.0.1:9"}, model=False)
    monkeypatch.chdir(tmp_path)
    main()
    told = capsys.readouterr().err
    assert told.startswith(
        "warning: http://127.0.0.1:9: lineage_not_sent: found ConnectionError after 0 of 6 events"
    )
    down = Path("reports/openlineage.jsonl").read_bytes()
    params = yaml.safe_load(Path("params.yaml").read_bytes())
    Path("params.yaml").write_text(
        yaml.safe_dump({**params, "publish": {**params["publish"], "openlineage_url": endpoint.url}})
    )
    main()
    assert capsys.readouterr().err == ""
    assert Path("reports/openlineage.jsonl").read_bytes() == down
    assert [one for _, one in endpoint.received] == [json.loads(line) for line in down.splitlines()]
    publish = endpoint.received[-1][1]
    assert [one["name"] for one in publish["outputs"]] == ["reports/croissant.json", "reports/dataset.html"]
