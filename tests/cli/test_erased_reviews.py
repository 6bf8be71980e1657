"""Decisions of reviewers about erased rows: found, redacted in their lines, and without effect afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.core.records import Exemplar, Mode
from exemplars.core.reviews import (
    Decision,
    Review,
    ReviewedArgument,
    ReviewedRow,
    describe_row,
    encode_review,
    parse_reviews,
)
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.row_tables import exemplars_from_table
from tests.cli.erasure_project import TOMBSTONE, SmallErasureProject

REVIEWS = "data/raw/reviews.jsonl"
pytestmark = pytest.mark.usefixtures("forked_commands")


@pytest.fixture
def project(tmp_path: Path) -> SmallErasureProject:
    """A compiled project, with decisions about both rows."""
    root = tmp_path / "project"
    root.mkdir()
    project = SmallErasureProject(root)
    project.new("../remote")
    project.dvc("repro", "-q")
    office, augusta = read_rows(project)
    introduced = ReviewedRow(
        "ring Augusta for me",
        "call",
        Mode.NORMAL,
        (ReviewedArgument("contact", "Augusta", "Augusta", 5, 12),),
    )
    reviews = [
        make_review(1, augusta, Decision.EDITED, before=describe_row(augusta), after=describe_row(augusta)),
        make_review(2, augusta, Decision.REJECTED, note="Augusta did not say that", reviewer="bob"),
        make_review(3, office, Decision.EDITED, before=describe_row(office), after=introduced),
        make_review(4, office, Decision.APPROVED, reviewer="bob", digest="0" * 64),
    ]
    project.write(REVIEWS, "\n" + b"".join(map(encode_review, reviews)).decode())
    project.dvc("repro", "-q", "-f", "compile")
    project.commit()
    project.dvc("push", "-q")
    return project


def make_review(number: int, row: Exemplar, decision: Decision, **fields: object) -> Review:
    return Review(
        **{  # type: ignore[arg-type]
            "decision_id": f"{number:032x}",
            "row": row.id,
            "digest": row.digest,
            "decision": decision,
            "reviewer": "ada",
            "time": f"2026-11-27T20:00:{number:02}Z",
            **fields,
        }
    )


def read_rows(project: SmallErasureProject) -> list[Exemplar]:
    table = read_table(project.root / "data/exemplars/exemplars.parquet", EXEMPLAR_SCHEMA)
    return sorted(exemplars_from_table(table), key=lambda row: "office" not in row.utterance)


def test_decisions_about_erased_texts_are_redacted_and_all_others_stay(project: SmallErasureProject) -> None:
    assert sorted(row.utterance for row in read_rows(project)) == [
        "please ring Augusta Byron at the mill",
        "ring Augusta for me",
    ]
    before = (project.root / REVIEWS).read_bytes().splitlines()
    project.write("data/raw/erasures.jsonl", json.dumps(TOMBSTONE) + "\n")
    plan = json.loads(project.erase("--plan", "--format", "json").stdout)
    assert (plan["decisions"], REVIEWS in plan["raw_files"]) == (3, True)

    done = project.erase("--redact", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    after = (project.root / REVIEWS).read_bytes()
    assert b"Augusta" not in after
    assert [line for line in after.splitlines() if line in before] == [b"", before[4]]
    reviews = parse_reviews(after)
    assert [(review.reviewer, review.decision) for review in reviews] == [
        ("ada", "edited"),
        ("bob", "rejected"),
        ("ada", "edited"),
        ("bob", "approved"),
    ]
    assert [review.is_redacted for review in reviews] == [True, False, True, False]

    project.dvc("repro", "-q", "-f")
    assert [row.utterance for row in read_rows(project)] == ["ring the office for me now"]
    project.commit()
    project.dvc("push", "-q")
    done = project.erase("--purge", "--all-revisions", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    receipt = project.receipt()
    assert receipt["still_found"] == {"files": [], "objects": []}
    assert REVIEWS in [file["path"] for file in receipt["raw_files"]]
    held = [path for path in project.root.rglob("*") if path.is_file() and b"Augusta" in path.read_bytes()]
    assert {path.relative_to(project.root).parts[0] for path in held} <= {".git", "data"}
    assert [path.name for path in held if path.parent.name == "raw"] == ["erasures.jsonl"]
