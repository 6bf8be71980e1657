from __future__ import annotations

import pytest

from exemplars.core.records import Argument, Grounding
from exemplars.core.representativeness import Balance, Coverage
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from stages.curate.coverage import (
    count_parts,
    join_part_counts,
    measure_balance,
    measure_balances,
    measure_coverage,
)
from tests.curate.rows import make_argument, make_row


def test_coverage_begins_with_the_thinnest_and_has_examples_to_start_from() -> None:
    kind = Parameter("kind", enum=("home", "work"))
    text = "call at home"
    rows = [
        make_row("1", text, arguments=(make_argument("kind", "home", text),)),
        make_row("2", "call"),
    ]
    skills = [Skill("call", parameters=(kind,)), Skill("play")]
    assert measure_coverage(count_parts(rows, skills), skills) == [
        Coverage("call", "kind", "work", 0, ("call at home",)),
        Coverage("play", "", "", 0, ()),
        Coverage("call", "kind", "", 1, ("call at home",)),
        Coverage("call", "kind", "home", 1, ("call at home",)),
        Coverage("call", "", "", 2, ("call", "call at home")),
    ]


def test_items_of_a_list_count_as_one_parameter_and_each_row_once() -> None:
    size = {"type": "string", "enum": ["small", "large"]}
    items = {"type": "object", "properties": {"name": {"type": "string"}, "size": size}}
    order = Skill(
        "order", parameters=(Parameter("dishes", type="array", schema={"type": "array", "items": items}),)
    )
    text = "a small soup and a small pie"
    arguments = (
        make_argument("dishes[0].size", "small", text),
        make_argument("dishes[0].name", "soup", text),
        Argument("dishes[1].size", "small", "small", 19, 24, Grounding.VERBATIM),
        make_argument("dishes[1].name", "pie", text),
    )
    rows = [make_row("1", text, "order", arguments), make_row("2", "the usual", "order")]
    counts = count_parts(rows, [order])
    assert measure_coverage(counts, [order]) == [
        Coverage("order", "dishes[].size", "large", 0, (text,)),
        Coverage("order", "dishes[].name", "", 1, (text,)),
        Coverage("order", "dishes[].size", "", 1, (text,)),
        Coverage("order", "dishes[].size", "small", 1, (text,)),
        Coverage("order", "", "", 2, ("the usual", text)),
    ]
    assert measure_balances({"order": 2}, counts, [order]) == [
        Balance("skills", 1, 0.0, 1.0),
        Balance("order.dishes[].size", 1, 0.0, 1.0),
    ]
    assert join_part_counts(count_parts(rows[:1], [order]), count_parts(rows[1:], [order])) == counts


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
