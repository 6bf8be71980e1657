"""A source of instruction data as the pipeline reads it: parameters, files on disk, all data stages."""

from __future__ import annotations

import datetime
import json
import os
import tarfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from exemplars.project.scaffold import build_project, write_project
from tests.conftest import PROJECT, Workspace

ARCHIVE = Path(os.environ.get("REAL_ARCHIVE", PROJECT.parent / "shared/real/real.tar.xz"))
BOUNDS = "{min_exemplars: 1, max_rejection_rate: 1.0, max_unlabelled_personal_share: 1.0}"
STAGES = (
    ("stages.ingest", "chats"),
    ("stages.compile",),
    ("stages.curate",),
    ("stages.split",),
    ("stages.validate",),
)


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    """A project as `exemplars init` makes it, with a source of this format."""
    write_project(workspace.root, build_project("chats", ["chat"], "skills", datetime.date(2026, 11, 27)))
    (workspace.root / "data/raw/chats/chat.md").unlink()
    text = (workspace.root / "params.yaml").read_text("utf-8")
    for before, after in (("format: skills", "format: instruct"), ("validate: {}", f"validate: {BOUNDS}")):
        assert text.count(before) == 1
        text = text.replace(before, after)
    workspace.write("params.yaml", text)
    return workspace


def run_stages(project: Workspace) -> None:
    for command in STAGES:
        done = project.run(*command)
        assert done.returncode == 0, done.stderr


def count_rows(project: Workspace, path: str) -> int:
    return int(pq.read_metadata(project.root / path).num_rows)


def test_replies_pass_all_data_stages(project: Workspace) -> None:
    animals = ("otter", "lynx", "heron", "badger", "marmot", "falcon", "beaver", "salmon", "lizard", "spider")
    rows = [
        {"instruction": f"Where does the {animal} live?", "output": f"The {animal} lives near water."}
        for animal in animals
    ]
    project.write("data/raw/chats/a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    project.write(
        "data/raw/chats/b.json",
        json.dumps([{"conversations": ["Is snow cold?", "Yes.", "And ice?", "Also."]}]),
    )
    run_stages(project)
    splits = [
        row
        for name in ("train", "validation", "test")
        for row in pq.read_table(project.root / f"data/splits/{name}.parquet").to_pylist()
    ]
    assert len(splits) == 12
    assert {(row["skill"], row["mode"], row["speaker"]) for row in splits} == {(None, "none", "user")}
    by_id = {row["id"]: row for row in splits}
    assert by_id["chats:a.jsonl#2"]["reply"] == "The lynx lives near water."
    assert by_id["chats:b.json#/0/conversations/3"]["context"] == [
        {"speaker": "user", "utterance": "Is snow cold?"},
        {"speaker": "assistant", "utterance": "Yes."},
    ]


def test_a_mistake_is_named_with_file_and_line(project: Workspace) -> None:
    project.write("data/raw/chats/a.jsonl", '{"instruction": "Name a color.", "output": ""}\n')
    done = project.run("exemplars.cli.main", "lint", "--source", "chats")
    assert done.returncode == 1
    assert (
        "data/raw/chats/a.jsonl:1:1: malformed_record: found an empty reply, expected a reply" in done.stdout
    )


@pytest.mark.skipif(not ARCHIVE.is_file(), reason="real.tar.xz is missing: set REAL_ARCHIVE to its path")
def test_every_row_of_real_instruction_data_is_accounted_for(project: Workspace) -> None:
    with tarfile.open(ARCHIVE) as archive:
        member = archive.extractfile("real/alpaca/alpaca_en_demo.json")
        assert member is not None
        rows = json.load(member)
    project.write("data/raw/chats/alpaca.json", json.dumps(rows))
    run_stages(project)
    assert count_rows(project, "data/records/chats.parquet") == len(rows) == 999
    rejected = pq.read_table(project.root / "data/exemplars/rejections.parquet").column("reason").to_pylist()
    assert rejected == ["duplicate_exemplar"] * 14
    exemplars = pq.read_table(project.root / "data/exemplars/exemplars.parquet").to_pylist()
    assert len(exemplars) == 985
    for row in exemplars:
        source = rows[int(row["origin"]["locator"][1:])]
        assert row["reply"] == source["output"]
        assert row["utterance"] in (source["instruction"], f"{source['instruction']}\n{source['input']}")
    assert count_rows(project, "data/curated/exemplars.parquet") == 985
