from __future__ import annotations

import pytest

from exemplars.core.representativeness import Balance, Coverage
from exemplars.dataset.catalog import Parameter, Skill
from stages.curate.coverage import measure_balance, measure_coverage
from tests.curate.rows import make_argument, make_row


def test_coverage_begins_with_the_thinnest_and_has_examples_to_start_from() -> None:
    kind = Parameter("kind", enum=("home", "work"))
    text = "call at home"
    rows = [
        make_row("1", text, arguments=(make_argument("kind", "home", text),)),
        make_row("2", "call"),
    ]
    assert measure_coverage(rows, [Skill("call", parameters=(kind,)), Skill("play")]) == [
        Coverage("call", "kind", "work", 0, ("call at home",)),
        Coverage("play", "", "", 0, ()),
        Coverage("call", "kind", "", 1, ("call at home",)),
        Coverage("call", "kind", "home", 1, ("call at home",)),
        Coverage("call", "", "", 2, ("call", "call at home")),
    ]


@pytest.mark.parametrize(
    ("counts", "balance"),
    [
        ([5, 5], Balance("x", 2, 1.0, 1.0)),
        ([9, 1], Balance("x", 2, 0.468996, 9.0)),
        ([7], Balance("x", 1, 0.0, 1.0)),
        ([], Balance("x", 0, 0.0, 0.0)),
        ([4, 0], Balance("x", 1, 0.0, 1.0)),
    ],
)
def test_balance_is_normalized_entropy(counts: list[int], balance: Balance) -> None:
    assert measure_balance("x", counts) == balance
