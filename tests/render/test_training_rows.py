"""Which exemplars of a split become chat rows, and where the others are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exemplars.dataset.row_tables import rejections_from_table
from stages.render.params import MaxRows
from stages.render.training_rows import collect_rejections, render_split
from tests.render.rows import SKILLS, exemplar, params
from tests.tiny import save_tiny

ROWS = [exemplar(f"ring {name}") for name in ("Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal")]


def test_rows_that_are_not_sampled_are_in_the_ledger(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(save_tiny(tmp_path))
    split = render_split(ROWS, "train", SKILLS, tokenizer, params(max_rows=MaxRows(train=5)), 400)
    ledger = rejections_from_table(collect_rejections({"train": split}))
    assert (len(split.rows), len(ledger), split.kept) == (5, 3, 5)
    assert {(rejection.stage, rejection.reason) for rejection in ledger} == {("render", "not_drawn")}
    assert {rejection.message for rejection in ledger} == {
        "f.md:1: found more than 5 turns in this split; raise render.max_rows"
    }
