"""Ratings of systems from comparisons of their answers to the same rows: Bradley-Terry, and Elo.

Sources: Bradley and Terry 1952, fitted as Newman 2023 does; Elo 1978; both as `evalica` computes them. A tie is half a
win for both.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exemplars.core.bootstrap import CONFIDENCE, Figure
from exemplars.core.conditions import HEADLINE, Condition
from exemplars.core.ids import is_speech_id
from exemplars.models.preference_rows import PairSource, PreferencePair, Verdict

MIN_COMPARISONS: Final = 200
"""With fewer comparisons, the order of systems is mostly luck."""
MIN_GROUPS: Final = 20
"""With fewer groups, bootstrap intervals are too narrow."""
RESAMPLES: Final = 500
ELO_RESAMPLES: Final = 200
"""Elo depends on the order of the comparisons: each resample has its own order, and so has each of the runs whose mean
is the rating."""
_RIGHT: Final = "right"
"""The kind of a right answer, as predictions have it."""
_CENTER: Final = 1000.0
_SCALE: Final = 400.0
_SEED: Final = 0


class Comparison(NamedTuple):
    """Two systems on the same row."""

    first: str
    second: str
    winner: str | None
    """One of the two; `None`: a tie."""
    group: str
    """What is resampled together."""


class Rating(NamedTuple):
    """How a system does in its comparisons."""

    system: str
    comparisons: int
    wins: int
    losses: int
    ties: int
    bradley_terry: Figure
    """On Elo's scale: 400 points are odds of 10 to 1; the mean of all systems is 1,000."""
    elo: Figure | None
    """`None`: not computed."""


class Ratings(NamedTuple):
    """The ratings of all systems that were compared, the best first."""

    systems: tuple[Rating, ...]
    comparisons: int
    groups: int
    warnings: tuple[str, ...]


def list_judged_comparisons(pairs: Iterable[PreferencePair], groups: Mapping[str, str]) -> list[Comparison]:
    """List the comparisons of people: ties, and rows on which both systems are wrong, are ties.

    groups: of rows, by digest; a row that the dataset no longer has is a group of its own.
    """
    return [
        Comparison(
            pair.chosen_by,
            pair.rejected_by,
            pair.chosen_by if pair.verdict == Verdict.CHOSEN else None,
            groups.get(pair.row or "", pair.row or pair.id),
        )
        for pair in pairs
        if pair.source == PairSource.JUDGE and pair.chosen_by and pair.rejected_by
    ]


def list_scored_comparisons(
    predictions: Iterable[Mapping[str, Any]], groups: Mapping[str, str], condition: Condition = HEADLINE
) -> list[Comparison]:
    """List the comparisons of all pairs of systems on the rows as written: the right answer beats the wrong one.

    predictions: rows of `predictions.parquet`. groups: of rows, by id.
    """
    is_right: dict[str, dict[str, bool]] = defaultdict(dict)
    row_groups: dict[str, str] = {}
    for row in predictions:
        if row["condition"] == condition and not is_speech_id(row["id"]):
            is_right[row["id"]][row["system"]] = row["kind"] == _RIGHT
            first = next(iter(row["exemplar_ids"]), row["id"])
            row_groups[row["id"]] = groups.get(first, row["id"])
    return [
        Comparison(first, second, _choose_winner(first, second, right), row_groups[row_id])
        for row_id, right in sorted(is_right.items())
        for first, second in combinations(sorted(right), 2)
    ]


def rate_systems(comparisons: Sequence[Comparison], with_elo: bool = True) -> Ratings:
    """Rate systems by their comparisons, with 95 % intervals by the bootstrap over groups.

    The same comparisons in any order have the same ratings. with_elo: Elo takes the most time.
    """
    comparisons = sorted(
        comparisons, key=lambda item: (item.group, item.first, item.second, item.winner or "")
    )
    if not comparisons:
        return Ratings((), 0, 0, ())
    systems = sorted({system for item in comparisons for system in (item.first, item.second)})
    games = _Games(comparisons, systems)
    strengths, elo = games.rate_bradley_terry(), games.rate_elo() if with_elo else None
    ratings = [
        Rating(system, *_count_outcomes(system, comparisons), strengths[index], elo[index] if elo else None)
        for index, system in enumerate(systems)
    ]
    ratings.sort(key=lambda rating: (-(rating.bradley_terry.value or 0.0), rating.system))
    groups = len({item.group for item in comparisons})
    return Ratings(
        tuple(ratings), len(comparisons), groups, tuple(_list_warnings(comparisons, systems, groups))
    )


class _Games:
    """Comparisons as numbers."""

    def __init__(self, comparisons: Sequence[Comparison], systems: Sequence[str]) -> None:
        from evalica import Winner  # It imports pandas.

        numbers = {system: number for number, system in enumerate(systems)}
        self._total = len(systems)
        self._firsts = np.array([numbers[item.first] for item in comparisons])
        self._seconds = np.array([numbers[item.second] for item in comparisons])
        self._winners = [
            Winner.Draw if item.winner is None else Winner.X if item.winner == item.first else Winner.Y
            for item in comparisons
        ]
        names = sorted({item.group for item in comparisons})
        places = {name: number for number, name in enumerate(names)}
        self._groups = np.array([places[item.group] for item in comparisons])
        self._generator = np.random.default_rng(_SEED)

    def rate_bradley_terry(self) -> list[Figure]:
        """Rate by the whole, and by each resample; one more tie between two systems that were compared keeps the
        rating of one that always wins finite.
        """
        from evalica import Winner, bradley_terry

        kinds = list(zip(self._firsts, self._seconds, self._winners, strict=True))
        games = sorted(set(kinds))
        place = {game: number for number, game in enumerate(games)}
        kind = np.array([place[game] for game in kinds])
        pairs = sorted({(min(first, second), max(first, second)) for first, second, _ in games})
        firsts = [int(game[0]) for game in games] + [int(pair[0]) for pair in pairs]
        seconds = [int(game[1]) for game in games] + [int(pair[1]) for pair in pairs]
        winners = [game[2] for game in games] + [Winner.Draw] * len(pairs)

        def rate(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            counts = np.bincount(kind, weights, minlength=len(games))
            result = bradley_terry(
                firsts, seconds, winners, weights=[*counts.tolist(), *[1.0] * len(pairs)], limit=10_000
            )
            strengths = result.scores.reindex(range(self._total)).to_numpy(dtype=np.float64)
            ratings: NDArray[np.float64] = np.asarray(_SCALE * np.log10(strengths), dtype=np.float64)
            return np.asarray(ratings - ratings.mean() + _CENTER, dtype=np.float64)

        value = rate(np.ones(len(kinds)))
        return _make_figures(value, np.array([rate(self._draw_weights()) for _ in range(RESAMPLES)]))

    def rate_elo(self) -> list[Figure]:
        """Rate by the mean of runs in random order, and by resamples, each in a random order."""
        everything = np.arange(len(self._winners))
        runs = [self._run_elo(everything) for _ in range(ELO_RESAMPLES)]
        resampled = []
        for _ in range(ELO_RESAMPLES):
            repeats = self._draw_weights().astype(np.int64)
            resampled.append(self._run_elo(np.repeat(everything, repeats)))
        return _make_figures(np.asarray(np.mean(runs, axis=0), dtype=np.float64), np.array(resampled))

    def _run_elo(self, games: NDArray[np.int64]) -> NDArray[np.float64]:
        from evalica import elo

        order = self._generator.permutation(games)
        winners = [self._winners[game] for game in order.tolist()]
        scores = elo(self._firsts[order].tolist(), self._seconds[order].tolist(), winners).scores
        # A system that no comparison of a resample is about keeps the rating it begins with.
        return np.asarray(scores.reindex(range(self._total), fill_value=_CENTER), dtype=np.float64)

    def _draw_weights(self) -> NDArray[np.float64]:
        """Draw how often each comparison is in a resample of groups."""
        total = int(self._groups[-1]) + 1
        counts = self._generator.multinomial(total, np.full(total, 1 / total))
        return np.asarray(counts[self._groups], dtype=np.float64)


def _make_figures(values: NDArray[np.float64], resamples: NDArray[np.float64]) -> list[Figure]:
    """Make a figure for each column, with the percentiles of its resamples."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resamples, [tail, 1 - tail], axis=0)
    return [
        Figure(*(round(float(part), 1) if math.isfinite(part) else None for part in parts))
        for parts in zip(values, low, high, strict=True)
    ]


def _choose_winner(first: str, second: str, right: Mapping[str, bool]) -> str | None:
    if right[first] == right[second]:
        return None
    return first if right[first] else second


def _count_outcomes(system: str, comparisons: Iterable[Comparison]) -> tuple[int, int, int, int]:
    """Count the comparisons of a system, and those that it wins, loses and ties."""
    own = [item for item in comparisons if system in (item.first, item.second)]
    counts = Counter(None if item.winner is None else item.winner == system for item in own)
    return len(own), counts[True], counts[False], counts[None]


def _list_warnings(comparisons: Sequence[Comparison], systems: Sequence[str], groups: int) -> list[str]:
    warnings = []
    if len(comparisons) < MIN_COMPARISONS:
        warnings.append(
            f"{len(comparisons)} comparisons are fewer than {MIN_COMPARISONS}: look at the intervals, not at the order"
        )
    if groups < MIN_GROUPS:
        warnings.append(f"{groups} groups are fewer than {MIN_GROUPS}: the intervals are too narrow")
    reached = {systems[0]}
    for _ in systems:
        reached.update(
            system
            for item in comparisons
            if item.first in reached or item.second in reached
            for system in (item.first, item.second)
        )
    if missing := [system for system in systems if system not in reached]:
        warnings.append(
            f"{', '.join(missing)} and {systems[0]} were not compared, not even by way of other systems: their ratings "
            "say nothing about each other"
        )
    return warnings
