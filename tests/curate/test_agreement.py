"""Cohen's kappa between reviewers, against values computed by hand."""

from __future__ import annotations

import pytest

from exemplars.core.reviews import Decision
from stages.curate.agreement import compute_kappa, measure_agreement
from tests.curate.reviews import make_review
from tests.curate.rows import make_row

# Both yes 20, first yes and second no 5, first no and second yes 10, both no 15: 0.7 observed, 0.5 by chance.
FIFTY = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15


@pytest.mark.parametrize(
    ("decisions", "kappa"),
    [
        (FIFTY, 0.4),
        ([("yes", "yes"), ("no", "no")], 1.0),
        ([("yes", "no"), ("no", "yes")], -1.0),
        ([("yes", "yes"), ("yes", "no")], 0.0),
        ([("yes", "yes"), ("yes", "yes")], None),
        ([("yes", "no")], 0.0),
    ],
)
def test_kappa_is_agreement_above_chance(decisions: list[tuple[str, str]], kappa: float | None) -> None:
    assert compute_kappa(decisions) == kappa


def test_each_two_reviewers_are_compared_on_the_rows_that_both_decided_on() -> None:
    first, second = make_row("1", "call mum"), make_row("2", "call dad")
    rejected = Decision.REJECTED
    contents = [
        [
            make_review(1, first, reviewer="bob"),
            make_review(2, first),
            make_review(3, first, rejected, "eve"),
        ],
        [make_review(4, second, rejected), make_review(5, second, rejected, "bob")],
        [make_review(6, make_row("3", "stop"))],
    ]
    assert measure_agreement(contents) == [
        {"reviewers": ["ada", "bob"], "rows": 2, "agreement": 1.0, "kappa": 1.0},
        {"reviewers": ["ada", "eve"], "rows": 1, "agreement": 0.0, "kappa": 0.0},
        {"reviewers": ["bob", "eve"], "rows": 1, "agreement": 0.0, "kappa": 0.0},
    ]
