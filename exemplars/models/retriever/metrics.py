"""How well skills are ranked: hit@k, MRR and nDCG@10, with intervals by group."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from exemplars.core.bootstrap import Figure, Metric, Resamples, divide_or_nan, round_figure
from exemplars.core.records import Exemplar
from exemplars.models.questions import Question
from exemplars.models.retriever.ranking import View

if TYPE_CHECKING:
    from exemplars.models.retriever.retriever import Retriever

HITS: Final = (1, 3, 5)
"""The numbers of skills that are looked at."""
NDCG_DEPTH: Final = 10
RESAMPLES: Final = 1000
_SEED: Final = 1


def rank_rows(retriever: Retriever, rows: Iterable[Exemplar]) -> dict[View, list[list[str]]]:
    """Rank the names of the skills for rows by each view, the best first. The group of a row does not count for it."""
    rows = list(rows)
    questions = [Question(row.utterance, row.context, row.speaker) for row in rows]
    ranked = retriever.rank_by_view(questions, excluded=[{row.group} for row in rows])
    return {view: [[skill.name for skill in skills] for skills in ranked[view]] for view in View}


def find_rank(ranked: Sequence[str], right: str) -> float:
    """Find the rank of the right skill, from 1; infinity if it is not ranked.

    >>> find_rank(["weather", "call"], "call")
    2.0
    """
    return ranked.index(right) + 1.0 if right in ranked else math.inf


def rate_ranks(
    ranks: Sequence[float], groups: Sequence[str], resamples: int = RESAMPLES
) -> dict[str, Figure]:
    """Rate rankings: the share of ranks of at most k (hit@k), MRR, and nDCG@10, with intervals of 95 %.

    ranks: of the right skill of each question. groups: of each question; they are resampled whole. With one right
    skill, the ideal DCG is 1 (Järvelin and Kekäläinen 2002).
    """
    values = np.array(ranks, dtype=np.float64)
    columns = {f"hit_at_{count}": (values <= count).astype(np.float64) for count in HITS}
    columns["mrr"] = 1 / values
    columns["ndcg_at_10"] = np.where(values <= NDCG_DEPTH, 1 / np.log2(1 + values), 0.0)
    metrics: dict[str, Metric] = {
        name: lambda sums, name=name: divide_or_nan(sums[name], sums["rows"])  # type: ignore[misc]
        for name in columns
    }
    return Resamples(groups, resamples, _SEED).compute_figures(columns, range(len(values)), metrics)


def rate_rankings(
    rankings: Mapping[str, Sequence[Sequence[str]]],
    right: Sequence[str],
    groups: Sequence[str],
    slices: Mapping[str, Sequence[int]],
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Rate rankings of the same questions on slices of them, as a report writes it: by slice, name and metric.

    rankings: the ranked skills of each question, the best first, by the name of the view or system. right: the skill
    of each question. groups: of each question. slices: the places of the questions of each slice; an empty one is left
    out.
    """
    report: dict[str, Any] = {}
    for name, places in slices.items():
        if not places:
            continue
        own = [groups[place] for place in places]
        report[name] = {"rows": len(places)}
        for system, ranked in rankings.items():
            ranks = [find_rank(ranked[place], right[place]) for place in places]
            figures = rate_ranks(ranks, own, resamples)
            report[name][str(system)] = {metric: round_figure(figure) for metric, figure in figures.items()}
    return report


def choose_tools(ranks: Sequence[float], min_hits: float) -> int:
    """Choose the smallest k whose hit@k is at least `min_hits`; 1 without questions.

    Ranks that are infinite count as the largest rank there is, so that a k is found.

    >>> choose_tools([1.0, 1.0, 3.0, 2.0], 0.75)
    2
    """
    finite = sorted(rank for rank in ranks if math.isfinite(rank))
    if not finite:
        return 1
    needed = min(len(finite), math.ceil(min_hits * len(ranks)))
    return int(finite[max(0, needed - 1)])


def rate_rows(
    rankings: Mapping[str, Sequence[Sequence[str]]], rows: Sequence[Exemplar], seen: Collection[str | None]
) -> dict[str, Any]:
    """Rate rankings of rows with a call: all, single utterances, dialogues, and skills with and without train rows.

    rankings: as for `rate_rankings`. seen: the skills that have train rows.
    """
    belongs = {
        "all": [True for _ in rows],
        "single": [row.service is None for row in rows],
        "dialogue": [row.service is not None for row in rows],
        "seen": [row.skill in seen for row in rows],
        "unseen": [row.skill not in seen for row in rows],
    }
    slices = {name: [place for place, is_in in enumerate(flags) if is_in] for name, flags in belongs.items()}
    right, groups = [row.skill or "" for row in rows], [row.group for row in rows]
    return rate_rankings(rankings, right, groups, slices)
