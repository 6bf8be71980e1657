"""Raw files under `dvc add`: an erased row that no stage has ever read is gone from the cache and the remote, too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.erasure_project import SKILL, SmallErasureProject

LINES = (
    {"utterance": "write to the bank tonight", "skill": "write", "arguments": {"who": "the bank"}},
    {"utterance": "to Bartholomew Vane", "skill": "write", "arguments": {"who": "Bartholomew Vane"}},
)
UNREADABLE = '{"utterance": "a line without an end, of which a message quotes the beginning only, by Clementine", "skill'
PARAMS = """ingest:
  context_turns: 12
  sources:
    lines: {format: jsonl, path: data/raw/lines, license: Apache-2.0}
    skills: {format: skills, path: data/raw/skills, license: Apache-2.0}
compile: {sources: [lines, skills], recognizers: schemas/recognizers.json}
"""


class UntrackedProject(SmallErasureProject):
    """A project whose raw files are in DVC's cache and remote, and whose stages have never run."""

    def add(self) -> None:
        """Track the raw files, commit and push them."""
        self.dvc("add", "-q", "data/raw/skills", "data/raw/lines")
        self.commit()
        self.dvc("push", "-q")

    def find(self, name: str) -> list[str]:
        """List the files with a name in their bytes."""
        return [
            path.relative_to(self.root).as_posix()
            for folder in ("data/raw/skills", "data/raw/lines", ".dvc/cache", "../remote")
            for path in sorted((self.root / folder).rglob("*"))
            if path.is_file() and name.encode() in path.read_bytes()
        ]


@pytest.fixture
def project(forked_commands: None, tmp_path: Path) -> UntrackedProject:
    project = UntrackedProject(tmp_path / "project")
    project.new("../remote")
    project.write("params.yaml", PARAMS)
    project.write(
        "data/raw/skills/call.md", SKILL + '\n### User: ring Bo\n### Assistant: call(contact="Bo")\n'
    )
    lines = "".join(json.dumps(line) + "\n" for line in LINES)
    project.write("data/raw/lines/a.jsonl", f"{lines}{UNREADABLE}\n")
    project.add()
    return project


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ({"place": "skills:call.md#7"}, "Augusta"),
        ({"place": "skills:call.md#13"}, "ring Bo"),
        ({"pattern": "Bartholomew"}, "Bartholomew"),
        ({"pattern": "Clementine"}, "Clementine"),
    ],
)
def test_a_row_that_was_never_ingested_is_removed_with_every_version_of_its_raw_file(
    project: UntrackedProject, rule: dict[str, str], name: str
) -> None:
    path = "data/raw/lines/a.jsonl" if "pattern" in rule else "data/raw/skills/call.md"
    text = (project.root / path).read_text("utf-8")
    project.write(path, f"{text}\n")
    project.add()
    assert len(project.find(name)) == 5  # The file, and two versions in the cache and the remote.

    tombstone = {"id": "t1", **rule, "reviewer": "Kim", "reason": "asked for it"}
    project.write("data/raw/erasures.jsonl", json.dumps(tombstone) + "\n")
    done = project.erase("--redact", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    project.add()
    assert len(project.find(name)) == 4

    done = project.erase("--purge", "--all-revisions", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert project.find(name) == []
    assert project.receipt()["still_found"] == {"files": [], "objects": []}
