"""From an empty cell to a train row: 200 examples, 40 of them wrong in eight ways, 100 of the others approved."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from typing import Any

import polars as pl
import pytest

from exemplars.cli.main import main
from exemplars.core.digests import hash_content
from exemplars.core.reviews import Decision, Review
from exemplars.review.decision_log import DecisionLog
from tests.generation.generated_project import GeneratedProject
from tests.generation.scripted_server import Body, Reply, ScriptedServer
from tests.generation.scripts import NAMES, answer_with, write_example
from tests.generation.test_generate import ask
from tests.tiny import save_tiny

Serve = Callable[..., ScriptedServer]
REASONS = (
    "unknown_skill",
    "malformed_record",
    "exemplar_mismatch",
    "value_not_found",
    "invalid_value",
    "missing_argument",
    "duplicate_exemplar",
    "near_duplicate",
)
"""Of the eight ways to be wrong, in the order of `answer_wrongly`."""


def answer_wrongly(number: int, way: int) -> Reply:
    example, word = write_example(number), ("now", "then", "soon", "ok", "too")[number // 40]
    changes: list[dict[str, Any]] = [
        {"skill": "phone_call"},
        {},
        {"template": "never <contact>"},
        {"utterance": "ring somebody before supper", "template": "ring somebody before supper"},
        {"arguments": {"contact": NAMES[number], "device": "satellite"}},
        {"arguments": {"device": None}, "template": example["utterance"]},
        {"utterance": "Call Maria!", "template": "Call <contact>!", "arguments": {"contact": "Maria"}},
        {  # Nearly a row of the test split.
            "utterance": f"please make a call to the vet {word}",
            "template": f"please make a call to the <contact> {word}",
            "arguments": {"contact": "vet"},
        },
    ]
    reply = answer_with({**example, **changes[way]})
    return reply._replace(text=reply.text[:-9]) if way == 1 else reply


def answer_partly_wrongly(body: Body, number: int) -> Reply:
    """Answer every fifth request wrongly, in each of the eight ways in turn."""
    if number % 5 == 4:
        return answer_wrongly(number, number // 5 % 8)
    return answer_with(write_example(number))


def read_reasons() -> Counter[str]:
    """Count the reasons of generated examples in the ledgers up to `curate`."""
    ledgers = [pl.read_parquet(f"data/{name}/rejections.parquet") for name in ("exemplars", "curated")]
    rows = pl.concat(ledgers, how="diagonal").filter(pl.col("source") == "generated")
    assert rows["id"].n_unique() == rows.height
    return Counter(rows["reason"].to_list())


def approve(count: int) -> set[str]:
    """Approve the first rows that wait for a decision; return their ids."""
    ledger = pl.read_parquet("data/curated/rejections.parquet")
    waiting = ledger.filter(pl.col("reason") == "pending_review")["id"].sort().head(count)
    digests = pl.read_parquet("data/exemplars/exemplars.parquet").filter(
        pl.col("id").is_in(waiting.implode())
    )
    log = DecisionLog()
    for row_id, digest in digests.select("id", "digest").rows():
        log.append(
            Review(
                decision_id=hash_content(row_id.encode())[:32],
                row=row_id,
                digest=digest,
                decision=Decision.APPROVED,
                queue="generated",
                reviewer="Ada",
                time="2026-11-27T20:00:00Z",
            )
        )
    return set(waiting)


def list_generated(table: str) -> set[str]:
    return set(pl.read_parquet(table).filter(pl.col("source") == "generated")["id"])


def test_wrong_examples_are_caught_and_exactly_the_approved_ones_train(
    project: GeneratedProject,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ask(serve(answer_partly_wrongly), "--concurrency", "1", count=200) == 0
    project.run_stages(monkeypatch)
    assert read_reasons() == {**dict.fromkeys(REASONS, 5), "pending_review": 160}
    assert list_generated("data/splits/train.parquet") == set()

    approved = approve(100)
    project.run_stages(monkeypatch)
    assert read_reasons() == {**dict.fromkeys(REASONS, 5), "pending_review": 60}
    assert list_generated("data/splits/train.parquet") == approved
    assert len(approved) == 100
    for name in ("validation", "test"):
        assert list_generated(f"data/splits/{name}.parquet") == set()

    capsys.readouterr()
    assert main(["generate", "--report", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["by_outcome"] == {
        "approved": 100,
        "pending_review": 60,
        **dict.fromkeys(sorted(REASONS), 5),
    }
    assert report["total"] == {
        "examples": 200, "grounded": 170, "duplicate": 5, "near_test_row": 5, "contradicts_tagger": 0,
        "waiting": 60, "rejected_by_reviewer": 0, "approved": 100,
    }  # fmt: skip
    assert report["by_model"] == {"scripted-2026-11-01": report["total"]}
    assert sum(cell["approved"] for cell in report["by_cell"].values()) == 100
    assert main(["generate", "--report"]) == 0
    text = capsys.readouterr().out
    assert "  approved                  100   50.0%" in text
    assert max(map(len, text.splitlines())) <= 80

    save_tiny(project.root / "base")
    monkeypatch.setattr(sys, "argv", ["render"])
    import_module("stages.render.__main__").main()
    rendered = pl.read_parquet("data/training/train.parquet").filter(pl.col("source") == "generated")
    assert set(rendered["id"]) == approved
