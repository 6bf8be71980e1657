"""What the documents say of rows that models wrote, and of what people decided about them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from exemplars.core.records import Exemplar, Origin
from exemplars.dataset.row_tables import exemplars_to_table
from stages.publish.card import render_card
from stages.publish.facts import ReleaseFacts
from stages.publish.summary import render_content_summary
from stages.publish.synthetic import (
    ReviewSummary,
    SyntheticSource,
    read_answer_models,
    summarize_review,
    summarize_synthetic,
)
from tests.curate.rows import make_row

CURATE = {
    "decisions": {"approved": 3, "rejected": 2, "edited": 1, "by_reviewer": {"ada": 4, "bob": 1}},
    "candidates": {"sources": ["generated"], "kept": 3, "reviewers": {"generated": 2}},
}
REVIEWED = "- People approved 3 rows, of which they had edited 1, and rejected 2; reviewers: 2."
WRITTEN = (
    "3 exemplars, written by a model: qwen3-4b 2, written by hand 1. "
    "A person has approved each of them; 2 people did."
)


def make_generated(path: str, locator: str) -> Exemplar:
    row = make_row("1", "call mum")
    return msgspec.structs.replace(row, source="generated", origin=Origin(path, "0" * 64, locator))


def write_lines(path: Path, *lines: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + "no answer\n", "utf-8")


def test_each_line_has_the_model_that_answered(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "a/b.jsonl",
        {"model": "auto", "answered_by": "qwen3-4b", "host": "127.0.0.1"},
        {"model": "gpt", "host": "api.openai.com"},
        {"model": "none", "host": "written by hand"},
    )
    assert read_answer_models(tmp_path) == {
        "a/b.jsonl:1": "qwen3-4b",
        "a/b.jsonl:2": "gpt",
        "a/b.jsonl:3": "written by hand",
    }
    assert read_answer_models(tmp_path / "missing") == {}


def test_exemplars_are_counted_by_the_model_that_wrote_them() -> None:
    rows = [make_generated("a.jsonl", f"{line}/answer/examples/0") for line in (1, 1, 2)]
    table = exemplars_to_table([*rows, make_row("2", "stop")])
    models = {"generated": {"a.jsonl:1": "qwen3-4b", "a.jsonl:2": "written by hand"}}
    assert summarize_synthetic(table, ["generated", "other"], models, CURATE) == (
        SyntheticSource("generated", {"qwen3-4b": 2, "written by hand": 1}, True, 2),
        SyntheticSource("other", {}, False, 0),
    )
    [unknown] = summarize_synthetic(table, ["generated"], {}, {})
    assert unknown == SyntheticSource("generated", {"a model that is not stated": 3}, False, 0)


def test_decisions_are_summarized() -> None:
    assert summarize_review(CURATE) == ReviewSummary(approved=3, rejected=2, edited=1, reviewers=2)
    assert summarize_review({}).rows == 0


def test_card_and_summary_say_what_is_synthetic_and_who_reviewed_it(facts: ReleaseFacts) -> None:
    source = SyntheticSource("notes", {"qwen3-4b": 2, "written by hand": 1}, True, 2)
    sources = tuple(
        msgspec.structs.replace(part, is_generated=part.name == "notes") for part in facts.sources
    )
    generated = msgspec.structs.replace(
        facts, sources=sources, synthetic=(source,), review=summarize_review(CURATE)
    )
    card = render_card(generated)
    assert f"- **notes**: {WRITTEN}\n{REVIEWED}\n" in card
    summary = render_content_summary(generated)
    section = summary.split("### 2.5 Synthetic data")[1].split("###")[0]
    assert section.strip() == f"- **notes** (MIT OR LicenseRef-notes; 2 records, 2 exemplars). {WRITTEN}"
    assert REVIEWED in summary


def test_without_synthetic_sources_the_card_says_so(facts: ReleaseFacts) -> None:
    assert "- No source is known to be written by a model.\n- People approved 0 rows" in render_card(facts)
