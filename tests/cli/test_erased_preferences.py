"""Preferences about erased rows: found, redacted in their lines, and gone everywhere after a purge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.row_tables import exemplars_from_table
from tests.cli.erasure_project import TOMBSTONE, SmallErasureProject

PREFERENCES = "data/raw/preferences.jsonl"
pytestmark = pytest.mark.usefixtures("forked_commands")


def test_preferences_about_erased_texts_are_redacted_and_all_others_stay(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    project = SmallErasureProject(root)
    project.new("../remote")
    project.dvc("repro", "-q")
    table = read_table(root / "data/exemplars/exemplars.parquet", EXEMPLAR_SCHEMA)
    rows: list[Exemplar] = sorted(exemplars_from_table(table), key=lambda row: "office" not in row.utterance)
    office, augusta = rows
    lines = [
        {"version": 1, "id": "p1", "row": augusta.digest, "chosen": "Yes.", "rejected": "No.", "source": "judge"},
        {"version": 1, "id": "p2", "row": office.digest, "chosen": "Yes.", "rejected": "No.", "source": "judge"},
        {"version": 1, "id": "p3", "row": office.digest, "chosen": "Yes.", "rejected": "Augusta?", "source": "judge"},
    ]  # fmt: skip
    project.write(PREFERENCES, "\n".join(map(json.dumps, lines)) + "\n")
    project.commit()
    project.dvc("push", "-q")
    project.write("data/raw/erasures.jsonl", json.dumps(TOMBSTONE) + "\n")
    plan = json.loads(project.erase("--plan", "--format", "json").stdout)
    assert (plan["preferences"], PREFERENCES in plan["raw_files"]) == (2, True)

    done = project.erase("--redact", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    redacted = [json.loads(line) for line in (root / PREFERENCES).read_text("utf-8").splitlines()]
    assert redacted[1] == lines[1]
    assert [(line["id"], line["chosen"], "row" in line) for line in redacted[::2]] == [
        ("p1", "[erased]", False),
        ("p3", "[erased]", False),
    ]
    project.dvc("repro", "-q", "-f")
    project.commit()
    project.dvc("push", "-q")
    done = project.erase("--purge", "--all-revisions", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert project.receipt()["still_found"] == {"files": [], "objects": []}
    assert PREFERENCES in [file["path"] for file in project.receipt()["raw_files"]]
