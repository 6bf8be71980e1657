"""Tombstones and sources at URLs: what is there is searched, and named, since it must be edited there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from exemplars.cli.main import main
from tests.cli.erasure_project import KEY, SKILL, SmallErasureProject

LINE = {"utterance": "ring Ada", "skill": "ring", "arguments": {"who": "Ada"}}
UNREADABLE = '{"utterance": "a line without an end, of which a message quotes the beginning only, by Clementine", "skill'
PARAMS = """ingest:
  context_turns: 12
  sources:
    lines: {format: jsonl, path: "memory://lines", license: Apache-2.0}
    skills: {format: skills, path: data/raw/skills, license: Apache-2.0}
compile: {sources: [lines, skills], recognizers: schemas/recognizers.json}
"""


class UrlProject(SmallErasureProject):
    """A project whose labeled examples are in a store in memory, so that commands run in this process."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(root)
        self._capsys = capsys
        self.store = MemoryFileSystem()

    def fill(self, lines: str) -> None:
        self.store.pipe_file("/lines/a/b.jsonl", lines.encode())

    def write_tombstone(self, **rule: str) -> None:
        tombstone = {"id": "t1", **rule, "reviewer": "Kim", "reason": "asked for it"}
        self.write("data/raw/erasures.jsonl", json.dumps(tombstone) + "\n")

    def run_erase(self, *arguments: str) -> tuple[int, str, str]:
        """Run `exemplars erase`; return its exit status and what it printed."""
        status = main(["erase", *arguments])
        printed = self._capsys.readouterr()
        return status, printed.out, printed.err


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[UrlProject]:
    monkeypatch.setenv("EXEMPLARS_ERASURE_KEY", KEY)
    project = UrlProject(tmp_path, capsys)
    project.write("data/raw/skills/call.md", SKILL)
    project.write("data/raw/erasures.jsonl", "")
    project.write("params.yaml", PARAMS)
    project.run("git", "init", "-q")
    (tmp_path / ".dvc").mkdir()
    project.write(".dvc/config", "")
    project.commit()
    monkeypatch.chdir(tmp_path)
    yield project
    project.store.store.clear()
    project.store.pseudo_dirs[:] = [""]


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        ({"pattern": "Clementine"}, f"{json.dumps(LINE)}\n{UNREADABLE}\n"),
        ({"place": "lines:a/b.jsonl#2"}, f"{json.dumps(LINE)}\n{UNREADABLE}\n"),
        ({"pattern": "Clementine"}, json.dumps(LINE | {"utterance": "ring Clementine and Ada"}) + "\n"),
    ],
    ids=["an unreadable record by its text", "by its place", "a readable record"],
)
def test_a_record_at_a_url_is_found_and_must_be_edited_there(
    project: UrlProject, rule: dict[str, str], lines: str
) -> None:
    project.fill(lines)
    project.write_tombstone(**rule)
    status, plan, _ = project.run_erase("--plan")
    assert status == 0
    assert "memory://lines/a/b.jsonl  by t1\n" in plan
    assert (
        "     1 raw file(s) at URLs that hold it: edit them there\n            memory://lines/a/b.jsonl\n"
        in plan
    )
    status, printed, _ = project.run_erase("--redact", "--yes")
    assert status == 1
    assert "memory://lines/a/b.jsonl: must be edited by hand\n" in printed
    assert project.run_erase("--purge", "--yes")[0] == 1
    assert project.receipt()["still_found"] == {"files": ["memory://lines/a/b.jsonl"], "objects": []}
    assert project.receipt()["searched"]["folders"] == ["data", "memory://lines", "models", "reports"]
    assert list((project.root / ".dvc/tmp/exemplars/sources").iterdir()) == []


def test_a_source_at_a_url_that_was_edited_is_no_longer_named(project: UrlProject) -> None:
    project.fill(f"{json.dumps(LINE)}\n{UNREADABLE}\n")
    project.write_tombstone(pattern="Clementine|Augusta")
    assert project.run_erase("--redact", "--yes")[0] == 1
    project.fill(json.dumps(LINE) + "\n")
    assert project.run_erase("--purge", "--yes")[0] == 0
    assert project.receipt()["still_found"] == {"files": [], "objects": []}


@pytest.mark.parametrize("step", ["--plan", "--redact", "--purge"])
def test_a_url_that_cannot_be_read_is_named_and_nothing_is_erased(project: UrlProject, step: str) -> None:
    project.write_tombstone(pattern="Augusta")
    assert project.run_erase(step, "--yes") == (
        1,
        "",
        "error: 1 problem(s) found\n  memory://lines: unreadable_url: there is no such folder, or no file in it; "
        "correct the source's path\n",
    )
    assert "Augusta" in (project.root / "data/raw/skills/call.md").read_text("utf-8")
