"""Events as the client writes them, to a file and to a real server on the loopback interface."""

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
from stages.publish.facts import ReleaseFacts
from stages.publish.openlineage import build_lineage_events, encode_lineage_events, make_run_uuid, send_events
from tests.publish.tree import write_tree


def decode_events(facts: ReleaseFacts) -> list[dict[str, Any]]:
    return [json.loads(line) for line in encode_lineage_events(build_lineage_events(facts)).splitlines()]


def test_each_stage_that_ran_starts_and_completes(facts: ReleaseFacts) -> None:
    events = decode_events(facts)
    assert [(event["job"]["name"], event["eventType"]) for event in events] == [
        ("ingest@forum", "START"),
        ("ingest@forum", "COMPLETE"),
        ("ingest@notes", "START"),
        ("ingest@notes", "COMPLETE"),
        ("split", "START"),
        ("split", "COMPLETE"),
        ("train", "START"),
        ("train", "COMPLETE"),
    ]
    assert {event["eventTime"] for event in events} == {"2026-10-02T00:00:00Z"}
    assert {event["job"]["namespace"] for event in events} == {"small-set"}
    assert len({event["run"]["runId"] for event in events}) == 4


def test_datasets_have_schema_hash_and_counts_and_no_absolute_path(facts: ReleaseFacts, tree: Path) -> None:
    *_, split = [event for event in decode_events(facts) if event["job"]["name"] == "split"]
    assert [file["name"] for file in split["inputs"]] == [
        "data/records/forum.parquet",
        "data/records/notes.parquet",
    ]
    assert split["eventType"] == "COMPLETE"
    train = split["outputs"][0]
    assert train["name"] == "data/splits/train.parquet"
    assert train["facets"]["version"]["datasetVersion"] == f"sha256:{facts.splits[0].file.sha256}"
    assert train["facets"]["schema"]["fields"][0] == {"fields": [], "name": "id", "type": "string"}
    assert train["outputFacets"]["outputStatistics"]["rowCount"] == 4
    assert str(tree) not in encode_lineage_events(build_lineage_events(facts)).decode()


def test_the_client_can_read_the_events_back(facts: ReleaseFacts) -> None:
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

    for event in decode_events(facts):
        event.pop("schemaURL")
        parsed = RunEvent(
            eventType=RunState(event.pop("eventType")),
            run=Run(**event.pop("run")),
            job=Job(**event.pop("job")),
            inputs=[InputDataset(**file) for file in event.pop("inputs")],
            outputs=[OutputDataset(**file) for file in event.pop("outputs")],
            **event,
        )
        assert parsed.producer == "urn:exemplars:publish"


def test_the_id_of_a_run_depends_on_what_it_read_and_wrote(facts: ReleaseFacts) -> None:
    ingest, other, *_ = facts.pipeline
    changed = msgspec.structs.replace(ingest.outputs[0], sha256="0" * 64)
    assert make_run_uuid(ingest) == make_run_uuid(msgspec.structs.replace(ingest, description="another"))
    assert make_run_uuid(ingest) != make_run_uuid(msgspec.structs.replace(ingest, outputs=(changed,)))
    assert make_run_uuid(ingest) != make_run_uuid(other)
    assert make_run_uuid(ingest).version == 5


class Endpoint(HTTPServer):
    """A server that keeps what it receives, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 201
        self.received: list[tuple[str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        """The URL that it listens on."""
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


def test_an_endpoint_gets_the_events_of_the_file(facts: ReleaseFacts, endpoint: Endpoint) -> None:
    events = build_lineage_events(facts)
    assert send_events(events, endpoint.url) is None
    assert endpoint.received == [("/api/v1/lineage", event) for event in decode_events(facts)]


def test_an_endpoint_that_fails_is_reported_in_a_sentence(facts: ReleaseFacts, endpoint: Endpoint) -> None:
    endpoint.status = 500
    problem = send_events(build_lineage_events(facts), endpoint.url)
    assert str(problem) == (
        f"{endpoint.url}: lineage_not_sent: the server took 0 of 8 lineage events, then failed (HTTP status 500); "
        "reports/openlineage.jsonl has all events; run `dvc repro -f -s publish` to send them again"
    )
    assert len(endpoint.received) == 1


def test_the_stage_warns_and_succeeds_if_the_endpoint_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(tmp_path, {"forum": "MIT"}, {"openlineage_url": "http://127.0.0.1:9"}, model=False)
    monkeypatch.chdir(tmp_path)
    main()
    warning = capsys.readouterr().err
    assert warning.startswith(
        "warning: http://127.0.0.1:9: lineage_not_sent: the server took 0 of 6 lineage events, then failed (ConnectionError)"
    )
    down = Path("reports/openlineage.jsonl").read_bytes()
    params = yaml.safe_load(Path("params.yaml").read_bytes())
    Path("params.yaml").write_text(
        yaml.safe_dump({**params, "publish": {**params["publish"], "openlineage_url": endpoint.url}})
    )
    main()
    assert capsys.readouterr().err == ""
    assert Path("reports/openlineage.jsonl").read_bytes() == down
    assert [event for _, event in endpoint.received] == [json.loads(line) for line in down.splitlines()]
    publish = endpoint.received[-1][1]
    assert [file["name"] for file in publish["outputs"]] == ["reports/croissant.json", "reports/dataset.html"]
