"""Which exemplars of a split become chat rows, and where the others are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from stages.render.params import MaxRows
from stages.render.training_rows import drawn, rejections, rendered_split
from tests.render.rows import SKILLS, exemplar, params
from tests.tiny import save_tiny

ROWS = [exemplar(f"ring {name}") for name in ("Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal")]


def test_fewer_rows_are_among_more_rows_and_nothing_is_lost() -> None:
    before: set[str] = set()
    for most in (1, 3, 5, 8):
        kept, left = drawn(ROWS, most, "s")
        assert (len(kept), len(left)) == (most, 8 - most)
        assert before <= {one.id for one in kept}
        before = {one.id for one in kept}
    assert drawn(ROWS, None, "s") == (ROWS, [])


def test_a_speech_view_goes_with_its_row() -> None:
    views = [msgspec.structs.replace(one, id=f"{one.id}~speech") for one in ROWS]
    kept, _ = drawn([*ROWS, *views], 2, "s")
    assert len(kept) == 4
    assert {one.id for one in kept if one.id.endswith("~speech")} == {
        f"{one.id}~speech" for one in kept if not one.id.endswith("~speech")
    }


def test_rows_that_are_not_drawn_are_in_the_ledger(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(save_tiny(tmp_path))
    split = rendered_split(ROWS, SKILLS, tokenizer, params(), 400, train=True, most=5)
    ledger = rejections({"train": split})
    assert (len(split.ready), len(ledger), split.asked) == (5, 3, 8)
    assert {(one.stage, one.reason) for one in ledger} == {("render", "not_drawn")}


def test_a_bound_below_one_is_told() -> None:
    with pytest.raises(ValueError, match="Expected at least 1 row or null, got test 0"):
        MaxRows(test=0)
