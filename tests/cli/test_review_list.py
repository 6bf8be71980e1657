"""`exemplars rejections --review`: what curate keeps and wants a person to look at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.cli.main import main
from exemplars.core import layout
from exemplars.core.records import ReviewItem
from exemplars.core.schemas import REVIEW_SCHEMA
from exemplars.core.tables import rows_to_table, write_table

PARAMS = "ingest:\n  sources:\n    a: {format: skills, path: raw/a, license: MIT}\n    b: {format: jsonl, path: raw/b, license: MIT}\n"


def make_item(row_id: str, why: str, detail: str, score: float | None = None) -> ReviewItem:
    path, _, locator = row_id.partition(":")[2].partition("#")
    return ReviewItem(row_id, why, detail, score, "ring", None, path, locator, f"text of {row_id}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def reviewed(project: Path) -> Path:
    items = [
        make_item("a:x.md#3", "label_noise", "labeled ring, likely text", 0.2),
        make_item("a:x.md#9", "label_noise", "labeled ring, likely text", 0.9),
        make_item("a:y.md#1", "label_noise", "labeled ring, likely text", 0.1),
        make_item("b:z.jsonl#4", "quality", "truncated"),
    ]
    write_table(layout.REVIEW, rows_to_table(items, ReviewItem))
    return project


def test_rows_to_review_are_listed_by_kind_the_most_suspicious_first(
    reviewed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rejections", "--review", "--limit", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "4 to review: label_noise 3, quality 1",
        "",
        "label_noise: 3",
        "  raw/a/x.md:9",
        "    'text of a:x.md#9': labeled ring, likely text",
        "  raw/a/x.md:3",
        "    'text of a:x.md#3': labeled ring, likely text",
        "  … and 1 more: --review --reason label_noise --limit 3",
        "",
        "quality: 1",
        "  raw/b/z.jsonl:4",
        "    'text of b:z.jsonl#4': truncated",
    ]


def test_programs_get_the_rows_of_a_source(reviewed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rejections", "--review", "--source", "b", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "why": "quality",
            "path": "raw/b/z.jsonl",
            "line": 4,
            "column": None,
            "utterance": "text of b:z.jsonl#4",
            "detail": "truncated",
            "skill": "ring",
            "suggested": None,
            "id": "b:z.jsonl#4",
        }
    ]


def test_before_curate_has_run_and_for_an_unknown_source_one_sentence_says_so(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rejections", "--review"]) == 1
    assert "no_review_list: found no review list, expected what `curate` writes" in capsys.readouterr().err
    write_table(layout.REVIEW, REVIEW_SCHEMA.empty_table())
    assert main(["rejections", "--review", "--source", "c"]) == 1
    assert "unknown_source: found --source c, expected one of a, b" in capsys.readouterr().err
    assert main(["rejections", "--review"]) == 0
    assert capsys.readouterr().out == "nothing to review\n"
