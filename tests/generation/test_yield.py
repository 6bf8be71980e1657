"""What the report and the review page say of examples before anybody has decided on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exemplars.cli.main import main
from exemplars.core import layout
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import read_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.review.dataset_index import DatasetIndex
from exemplars.review.decision_book import DecisionBook
from exemplars.review.queues import Queue, QueueLists
from tests.generation.generated_project import GeneratedProject
from tests.generation.scripted_server import ScriptedServer
from tests.generation.scripts import answer_with, write_example
from tests.generation.test_end_to_end import approve, list_generated, read_reasons
from tests.generation.test_generate import ask

Serve = Callable[..., ScriptedServer]
PARAPHRASE = {
    "utterance": "please make a call to the dentist now",
    "template": "please make a call to the <contact> now",
    "arguments": {"contact": "dentist"},
}
"""Its template is nearly that of `please make a call to the vet`, which is in test, and its contact is another."""


def read_total(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """Read the counts of the report."""
    capsys.readouterr()
    assert main(["generate", "--report", "--format", "json"]) == 0
    total: dict[str, int] = json.loads(capsys.readouterr().out)["total"]
    return total


def write_examples(
    project: GeneratedProject, serve: Serve, monkeypatch: pytest.MonkeyPatch, *examples: Any
) -> None:
    """Have a server write examples, and compile them."""
    server = serve(lambda body, number: answer_with(write_example(number, **examples[number])))
    assert ask(server, "--concurrency", "1", count=len(examples)) == 0
    project.run_stages(monkeypatch)
    assert read_reasons() == {"pending_review": len(examples)}


def test_a_paraphrase_of_a_test_row_is_known_before_and_after_its_approval(
    project: GeneratedProject,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_examples(project, serve, monkeypatch, PARAPHRASE, {}, {})
    total = read_total(capsys)
    assert (total["near_test_row"], total["waiting"], total["grounded"]) == (1, 3, 3)
    *fine, near = QueueLists(DatasetIndex()).build(Queue.GENERATED, DecisionBook("Ada")).entries
    assert {entry.why for entry in fine} == {"waits for approval: its source needs review"}
    assert near.row == "generated:scripted.jsonl#1/answer/examples/0"
    assert near.why.startswith(
        "waits for approval, but would not train even then: nearly the same template as skills:call.md#"
    )
    assert near.why.endswith(", which is in test")

    assert len(approve(3)) == 3
    project.run_stages(monkeypatch)
    [leaked] = json.loads(Path("reports/details/split.json").read_text())["leaked_by_source"].items()
    assert leaked == ("generated", 1)
    assert list_generated("data/splits/train.parquet") == {entry.row for entry in fine}
    total = read_total(capsys)
    assert (total["near_test_row"], total["waiting"], total["approved"]) == (1, 0, 2)


def test_what_a_tagger_of_the_train_rows_is_sure_to_read_differently_is_counted(
    project: GeneratedProject,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("torch")
    from tests.train.tagger.trained import train_tiny

    def write_call(name: str, device: str | None) -> dict[str, Any]:
        arguments = {"contact": name, "device": device}
        return {"utterance": f"call {name}", "template": "call <contact>", "arguments": arguments}

    write_examples(project, serve, monkeypatch, write_call("Hugo", None), write_call("Greta", "work"))
    train = exemplars_from_table(read_table(layout.split("train"), EXEMPLAR_SCHEMA))
    short = [row for row in train if len(row.utterance.split()) <= 6 and not row.context]
    rows = [
        *[row for row in short if row.skill == "call"][:8],
        *[row for row in short if row.skill == "set_timer"][:8],
    ]
    assert len(rows) == 16
    assert read_total(capsys)["contradicts_tagger"] == 0
    # Sure of all that it says, whatever the processor: which call it reads is tested here, not its confidence.
    train_tiny(epochs=20, rows=rows, skills=read_catalog(layout.CATALOG), max_risk=0.9)
    total = read_total(capsys)
    assert (total["contradicts_tagger"], total["waiting"]) == (1, 2)
