"""Erasing for good, with real DVC: a small project, its cache, and real remotes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from exemplars.audit.erasure.redaction import redact_dialogues, redact_jsonl, redact_skills
from exemplars.audit.erasure.search import choose_search_terms, make_matcher
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from tests.cli.erasure_project import (
    SKILL,
    TOMBSTONE,
    UTTERANCE,
    SmallErasureProject,
    redact_and_reproduce,
)


@pytest.fixture(scope="module")
def made(forked_commands: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project next to its remote, made once; tests work on copies."""
    folder = tmp_path_factory.mktemp("made")
    small = SmallErasureProject(folder / "project")
    small.new("../remote")
    small.dvc("repro", "-q")
    small.commit()
    small.dvc("push", "-q")
    return folder


@pytest.fixture(scope="module")
def reproduced(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a tombstone, after `--redact` and `dvc repro`."""
    folder = shutil.copytree(made, tmp_path_factory.mktemp("reproduced") / "copy", symlinks=True)
    redact_and_reproduce(SmallErasureProject(folder / "project"))
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> SmallErasureProject:
    return SmallErasureProject(shutil.copytree(made, tmp_path / "copy") / "project")


@pytest.fixture
def erased(reproduced: Path, tmp_path: Path) -> SmallErasureProject:
    return SmallErasureProject(shutil.copytree(reproduced, tmp_path / "copy") / "project")


def test_what_a_tombstone_matches_is_gone_everywhere_and_all_else_is_kept(
    made: Path, erased: SmallErasureProject
) -> None:
    path = "data/exemplars/exemplars.parquet"
    before = read_table(made / "project" / path, EXEMPLAR_SCHEMA).to_pylist()
    project = erased
    assert project.find_holding_files("data", "reports") == []
    assert len(project.find_holding_files(".dvc/cache", "../remote")) == 4
    project.write(".dvc/tmp/exemplars/folds/1/answers.jsonl", UTTERANCE.decode())
    project.write(".dvc/tmp/exemplars-generate.jsonl", '{"id": "5f1a"}\n')

    done = project.erase("--purge", "--all-revisions", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert (project.root / ".dvc/tmp/exemplars-generate.jsonl").read_text() == '{"id": "5f1a"}\n'
    assert project.find_holding_files("data", "reports", ".dvc", "../remote") == []
    after = read_table(project.root / path, EXEMPLAR_SCHEMA).to_pylist()
    assert [row["utterance"] for row in before] == ["ring the office for me now", UTTERANCE.decode()]
    assert [row["digest"] for row in after] == [before[0]["digest"]]
    assert project.dvc("status") == "Data and pipelines are up to date.\n"

    receipt = project.receipt()
    assert receipt["rows"] == 1
    assert receipt["still_found"] == {"files": [], "objects": []}
    assert [item["store"] for item in receipt["removed_objects"]] == [  # type: ignore[attr-defined]
        "the cache",
        "the cache",
        "the remote store",
        "the remote store",
    ]
    assert UTTERANCE.decode() not in json.dumps(receipt)


def test_what_other_revisions_need_is_kept_by_default(erased: SmallErasureProject) -> None:
    project = erased
    done = project.erase("--purge", "--yes")
    assert done.returncode == 0, done.stderr
    assert "removed 0 objects, kept 4 that other revisions need" in done.stdout
    assert len(project.receipt()["kept_objects"]) == 4  # type: ignore[arg-type]
    project.run("git", "checkout", "-q", "HEAD~1")
    project.dvc("checkout", "-q")
    assert project.find_holding_files("data/records") == ["data/records/skills.parquet"]


def test_the_plan_names_every_row_file_and_object_and_changes_nothing(project: SmallErasureProject) -> None:
    project.write("data/raw/erasures.jsonl", json.dumps(TOMBSTONE) + "\n")
    done = project.erase("--plan", "--format", "json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["rows"] == [
        {
            "id": "skills:call.md#7",
            "file": "data/raw/skills/call.md",
            "locator": "7",
            "tombstone": "t1",
            "in_the_raw_file": True,
        }
    ]
    assert plan["raw_files"] == ["data/raw/skills/call.md"]
    assert plan["outputs"] == ["data/exemplars/exemplars.parquet", "data/records/skills.parquet"]
    assert (
        sorted(item["paths"][0] for item in plan["objects"] if item["store"] == "the cache")
        == plan["outputs"]
    )
    assert (project.root / "data/raw/skills/call.md").read_text("utf-8") == SKILL
    assert all(len(line) <= 80 for line in project.erase("--plan").stdout.splitlines())


def test_a_purge_before_dvc_repro_is_refused(project: SmallErasureProject) -> None:
    project.write("data/raw/erasures.jsonl", json.dumps(TOMBSTONE) + "\n")
    done = project.erase("--purge", "--yes")
    assert done.returncode == 1
    assert (
        "data/exemplars/exemplars.parquet: not_reproduced: 2 output(s) still hold what is to be erased; "
        "run `dvc repro`, then purge; nothing was changed"
    ) in done.stderr
    assert len(project.find_holding_files(".dvc/cache", "data/raw")) == 3


def test_a_purge_that_was_killed_can_be_run_again(erased: SmallErasureProject) -> None:
    project = erased
    (first, *_) = project.find_holding_files(".dvc/cache")
    (project.root / first).unlink()
    done = project.erase("--purge", "--all-revisions", "--yes")
    assert done.returncode == 0, done.stderr
    assert project.find_holding_files("data", "reports", ".dvc", "../remote") == []
    again = project.erase("--purge", "--all-revisions", "--yes")
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize(
    ("tombstone", "message"),
    [
        (
            {**TOMBSTONE, "pattern": "Nobody"},
            "erasures.jsonl: tombstone_without_match: tombstone t1 matches no row; correct or remove it",
        ),
        (
            {**TOMBSTONE, "pattern": "("},
            "erasures.jsonl:1: malformed_tombstone: the pattern '(' is malformed",
        ),
        (
            {**TOMBSTONE, "pattern": "."},
            "not_confirmed: the erasure was not confirmed: standard input is not a terminal; nothing",
        ),
        (None, "no_tombstone: found no tombstone, expected at least one; `exemplars erase --help` shows"),
    ],
)
def test_a_tombstone_that_matches_nothing_or_everything_or_is_malformed_is_refused(
    project: SmallErasureProject, tombstone: dict[str, str] | None, message: str
) -> None:
    project.write("data/raw/erasures.jsonl", json.dumps(tombstone) + "\n" if tombstone else "")
    done = project.erase("--redact")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert (project.root / "data/raw/skills/call.md").read_text("utf-8") == SKILL


def test_a_missing_key_an_unreachable_remote_and_a_running_stage_are_reported(
    erased: SmallErasureProject,
) -> None:
    project = erased
    done = project.erase("--plan", EXEMPLARS_ERASURE_KEY="")
    assert (done.returncode, "no_erasure_key" in done.stderr) == (1, True)
    project.dvc("remote", "add", "away", "s3://none/here")
    project.dvc("remote", "modify", "away", "endpointurl", "http://127.0.0.1:9")
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_MAX_ATTEMPTS": "1"}
    done = project.erase("--purge", "--remote", "away", "--all-revisions", "--yes", **keys)
    assert done.returncode == 1
    assert "the remote away: store_unreachable: access failed: " in done.stderr
    assert "Traceback" not in done.stderr
    done = project.erase("--purge", "--remote", "no-such", "--yes")
    assert "store_unreachable" in done.stderr
    busy = {"read": {}, "write": {"data/x": {"pid": os.getpid(), "cmd": "dvc repro"}}}
    project.write(".dvc/tmp/rwlock", json.dumps(busy))
    done = project.erase("--purge", "--all-revisions", "--yes")
    assert done.returncode == 1
    assert f"busy: `dvc repro` (process {os.getpid()}) is running; wait for it to finish" in done.stderr
    assert len(project.find_holding_files(".dvc/cache", "../remote")) == 4


def test_an_erasure_during_dvc_repro_damages_nothing(project: SmallErasureProject) -> None:
    project.write("data/raw/erasures.jsonl", json.dumps(TOMBSTONE) + "\n")
    outcomes: list[subprocess.CompletedProcess[str]] = []
    repro = (sys.executable, "-m", "dvc", "repro", "-q")
    threads = [threading.Thread(target=lambda: outcomes.append(project.run(*repro))) for _ in range(2)]
    for thread in threads:
        thread.start()
    erased = project.erase("--redact", "--yes")
    for thread in threads:
        thread.join()
    for done in (*outcomes, erased):
        assert done.returncode == 0 or "Traceback" not in done.stderr
    project.erase("--redact", "--yes")
    project.dvc("repro", "-q")
    rows = read_table(project.root / "data/exemplars/exemplars.parquet", EXEMPLAR_SCHEMA)
    assert rows.column("utterance").to_pylist() == ["ring the office for me now"]
    assert project.find_holding_files("data", "reports") == []


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 server on loopback with a bucket; its URL."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=address, region_name="us-east-1").create_bucket(Bucket="exemplars")
    yield address
    server.stop()


def test_objects_are_removed_from_s3(tmp_path: Path, bucket: str) -> None:
    project = SmallErasureProject(tmp_path / "project")
    project.new("s3://exemplars/store")
    project.dvc("remote", "modify", "store", "endpointurl", bucket)
    project.dvc("repro", "-q")
    project.commit()
    project.dvc("push", "-q")
    redact_and_reproduce(project)
    client = boto3.client("s3", endpoint_url=bucket, region_name="us-east-1")
    matches = make_matcher(choose_search_terms({"skills:call.md#7": UTTERANCE.decode()}, ()))

    def match_objects() -> list[bool]:
        keys = [entry["Key"] for entry in client.list_objects_v2(Bucket="exemplars")["Contents"]]
        return [matches(client.get_object(Bucket="exemplars", Key=key)["Body"].read()) for key in keys]

    before = match_objects()
    assert before.count(True) == 2
    done = project.erase("--purge", "--all-revisions", "--yes")
    assert done.returncode == 0, done.stderr
    assert match_objects() == [False] * (len(before) - 2)


def test_skill_files_keep_their_lines() -> None:
    text = (
        b"### User: a\r\n### Assistant: b()\r\n### Exemplar: c\r\n\r\n### User: d\r\n### Assistant: e()\r\n"
    )
    assert redact_skills(text, ["1"]) == (
        b"### User: [erased]\r\n### Assistant: [erased]\r\n### Exemplar: [erased]\r\n\r\n"
        b"### User: d\r\n### Assistant: e()\r\n"
    )


def test_labeled_lines_keep_their_places() -> None:
    assert redact_jsonl(b'{"utterance": "a"}\n{"utterance": "b"}\n', ["2"]) == (
        b'{"utterance": "a"}\n{"utterance": "[erased]"}\n'
    )


def test_dialogues_keep_their_turns_without_text() -> None:
    frame = {
        "service": "S",
        "slots": [{"slot": "a"}],
        "actions": [{"act": "INFORM"}],
        "service_results": [{"a": "b"}],
    }
    turns = [
        {"speaker": "USER", "utterance": "x", "frames": [{**frame, "state": {"slot_values": {"a": ["b"]}}}]},
        {"speaker": "SYSTEM", "utterance": "y", "frames": [frame]},
    ]
    data = json.dumps([{"dialogue_id": "1", "services": ["S"], "turns": turns}, {"dialogue_id": "2"}])
    assert json.loads(redact_dialogues(data.encode(), ["/0/turns/0/frames/0"])) == [
        {
            "dialogue_id": "1",
            "services": ["S"],
            "turns": [
                {
                    "speaker": "USER",
                    "utterance": "[erased]",
                    "frames": [
                        {
                            "service": "S",
                            "actions": [],
                            "slots": [],
                            "state": {"active_intent": "NONE", "requested_slots": [], "slot_values": {}},
                        }
                    ],
                },
                {
                    "speaker": "SYSTEM",
                    "utterance": "[erased]",
                    "frames": [{"service": "S", "actions": [], "slots": []}],
                },
            ],
        },
        {"dialogue_id": "2"},
    ]


def test_texts_are_found_escaped_and_compressed() -> None:
    text = 'He said "no", didn\'t he — Zoë?'
    matches = make_matcher(choose_search_terms({"x": text}, ()))
    assert [
        matches(form.encode()) for form in (text, json.dumps(text), json.dumps(text, ensure_ascii=False))
    ] == [True] * 3
    assert matches(b"He said &#34;no&#34;, didn&#39;t he \xe2\x80\x94 Zo\xc3\xab?")
    assert not matches(b"He said no")


def test_a_short_or_common_text_is_searched_in_its_own_row_only() -> None:
    terms = choose_search_terms(
        {"a": "yes", "b": "what a common thing to say"}, {"what a common thing to say"}
    )
    assert (terms.texts, terms.rows) == (frozenset(), {"a": "yes", "b": "what a common thing to say"})
