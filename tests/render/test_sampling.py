"""Which exemplars are sampled; the others are in the ledger."""

from __future__ import annotations

import msgspec
import pytest

from exemplars.core.ledger import Ledger
from exemplars.models.turns import TurnRows
from stages.render.sampling import limit_none_share, sample_turns
from tests.render.rows import exemplar

ROWS = [
    TurnRows((exemplar(f"ring {name}"),)) for name in ("Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal")
]


def test_a_smaller_sample_is_a_subset_of_a_larger_one_and_nothing_is_lost() -> None:
    before: set[str] = set()
    for limit in (1, 3, 5, 8):
        ledger = Ledger("render")
        sample = sample_turns(ROWS, limit, "s", ledger)
        assert (len(sample), len(ledger.rejections)) == (limit, 8 - limit)
        assert before <= {row.id for row in sample}
        before = {row.id for row in sample}
    ledger = Ledger("render")
    assert (sample_turns(ROWS, None, "s", ledger), ledger.rejections) == (ROWS, [])


def test_a_speech_view_goes_with_its_row() -> None:
    views = [TurnRows((msgspec.structs.replace(row.first, id=f"{row.id}~speech"),)) for row in ROWS]
    sample = sample_turns([*ROWS, *views], 2, "s", Ledger("render"))
    assert len(sample) == 4
    assert {row.id for row in sample if row.id.endswith("~speech")} == {
        f"{row.id}~speech" for row in sample if not row.id.endswith("~speech")
    }


@pytest.mark.parametrize(("max_share", "kept"), [(0.0, 0), (0.2, 2), (0.5, 4), (1.0, 4)])
def test_rows_that_ask_for_nothing_have_a_quota(max_share: float, kept: int) -> None:
    silent = [TurnRows((exemplar(f"thanks {number}", None, mode="none"),)) for number in range(4)]
    ledger = Ledger("render")
    rows = limit_none_share([*ROWS, *silent], max_share, "s", ledger)
    assert (len(rows), len(ledger.rejections)) == (8 + kept, 4 - kept)
    assert {rejection.reason for rejection in ledger.rejections} <= {"over_share"}
