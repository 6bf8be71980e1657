"""How far reviewers agree on the rows that several of them decided on."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from exemplars.core.reviews import Decision, Review


def measure_agreement(contents: Iterable[Sequence[Review]]) -> list[dict[str, Any]]:
    """Measure the agreement of each two reviewers who decided on the same rows, sorted by their names.

    contents: the decisions on each content of a row, at most one of each reviewer. What they decide is approved,
    rejected or edited, whatever the edit.
    Returns for each pair `reviewers`, `rows`, `agreement` (the share of rows with equal decisions) and `kappa`.
    """
    pairs: dict[tuple[str, str], list[tuple[Decision, Decision]]] = defaultdict(list)
    for reviews in contents:
        by_name = sorted(reviews, key=lambda review: review.reviewer)
        for first, second in combinations(by_name, 2):
            pairs[first.reviewer, second.reviewer].append((first.decision, second.decision))
    return [
        {
            "reviewers": list(names),
            "rows": len(decisions),
            "agreement": round(sum(first == second for first, second in decisions) / len(decisions), 4),
            "kappa": compute_kappa(decisions),
        }
        for names, decisions in sorted(pairs.items())
    ]


def compute_kappa(decisions: Sequence[tuple[str, str]]) -> float | None:
    """Compute Cohen's kappa (Cohen 1960): agreement above what chance gives, from -1 to 1.

    decisions: of the two reviewers on each row. `None` if both decided the same on all rows: chance gives that, too.

    >>> compute_kappa([("a", "a"), ("a", "b"), ("b", "b"), ("b", "b")])
    0.5
    """
    from sklearn.metrics import (
        cohen_kappa_score,
    )  # Takes a second to import, and few projects have two reviewers.

    firsts, seconds = zip(*decisions, strict=True)
    if {*firsts} == {*seconds} and len({*firsts}) == 1:
        return None
    kappa = float(cohen_kappa_score(firsts, seconds))
    return None if math.isnan(kappa) else round(kappa, 4)
