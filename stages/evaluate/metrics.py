"""Verdicts as figures, with intervals: every figure is a ratio of sums over rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from stages.evaluate.judging import Verdict

Sums = Mapping[str, NDArray[np.float64]]
COUNTS: Final = (
    "exact",
    "skill_right",
    "arguments_right",
    "arguments_predicted",
    "arguments_expected",
    "none_right",
    "none_predicted",
    "none_expected",
    "well_formed",
    "invented_skill",
    "invented_parameters",
)
CONFIDENCE: Final = 0.95


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Not a number where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


METRICS: Final[dict[str, Callable[[Sums], NDArray[np.float64]]]] = {
    "exact_match": lambda one: _ratio(one["exact"], one["rows"]),
    "skill_accuracy": lambda one: _ratio(one["skill_right"], one["rows"]),
    "argument_precision": lambda one: _ratio(one["arguments_right"], one["arguments_predicted"]),
    "argument_recall": lambda one: _ratio(one["arguments_right"], one["arguments_expected"]),
    "argument_f1": lambda one: _ratio(
        2 * one["arguments_right"], one["arguments_predicted"] + one["arguments_expected"]
    ),
    "none_precision": lambda one: _ratio(one["none_right"], one["none_predicted"]),
    "none_recall": lambda one: _ratio(one["none_right"], one["none_expected"]),
    "well_formed": lambda one: _ratio(one["well_formed"], one["rows"]),
    "invented_skills": lambda one: _ratio(one["invented_skill"], one["rows"]),
    "invented_parameters": lambda one: _ratio(one["invented_parameters"], one["arguments_predicted"]),
}
"""Each figure as a function of sums over rows."""


class Figure(NamedTuple):
    """A figure and the interval in which it lies with 95 % confidence; null where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


class Comparison(NamedTuple):
    """One system against another, on the same rows."""

    difference: Figure
    """Of exact match, by the paired bootstrap."""
    only_first: int
    """Rows that the first alone has right."""
    only_second: int
    p_value: float
    """McNemar's exact test."""
    warning: str | None


class Resamples:
    """Bootstrap resamples of groups, the same for all systems and figures, so that they are paired."""

    def __init__(self, groups: Sequence[str], count: int, seed: int) -> None:
        """groups: the group of each row; rows of a group are drawn together."""
        names = sorted(set(groups))
        place = {name: number for number, name in enumerate(names)}
        self._of_row = np.array([place[group] for group in groups], dtype=np.int64)
        self._groups = len(names)
        generator = np.random.default_rng(seed)
        shares = np.full(self._groups, 1 / max(1, self._groups))
        self._weights = generator.multinomial(self._groups, shares, size=count).astype(np.float64)

    def figures(self, verdicts: Sequence[Verdict], rows: Sequence[int]) -> dict[str, Figure]:
        """All metrics over the chosen rows. verdicts: one a row, of all rows."""
        once, drawn = self._sums(verdicts, rows)
        return {name: _figure(metric(once), metric(drawn)) for name, metric in METRICS.items()}

    def compare(self, first: Sequence[Verdict], second: Sequence[Verdict]) -> Comparison:
        """Exact match of the first against the second, over all rows."""
        rows = range(len(first))
        sums = [self._sums(one, rows) for one in (first, second)]
        exact = METRICS["exact_match"]
        difference = _figure(exact(sums[0][0]) - exact(sums[1][0]), exact(sums[0][1]) - exact(sums[1][1]))
        pairs = list(zip(first, second, strict=True))
        only_first = sum(one.exact > other.exact for one, other in pairs)
        only_second = sum(one.exact < other.exact for one, other in pairs)
        p_value = mcnemar(only_first, only_second)
        return Comparison(
            difference,
            only_first,
            only_second,
            p_value,
            _warning(only_first, only_second, len(first), p_value),
        )

    def _sums(self, verdicts: Sequence[Verdict], rows: Sequence[int]) -> tuple[Sums, Sums]:
        """Sums over the rows, shape (1,), and over each resample, shape (resamples,)."""
        chosen = list(rows)
        of_group = self._of_row[chosen]
        by_group: dict[str, NDArray[np.float64]] = {
            "rows": np.bincount(of_group, minlength=self._groups).astype(np.float64)
        }
        for name in COUNTS:
            values = np.array([getattr(verdicts[row], name) for row in chosen], dtype=np.float64)
            by_group[name] = np.bincount(of_group, values, minlength=self._groups).astype(np.float64)
        once = {name: np.array([sums.sum()]) for name, sums in by_group.items()}
        return once, {name: self._weights @ sums for name, sums in by_group.items()}


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact test, two-sided: how likely so uneven a count is where both are equally good."""
    discordant = only_first + only_second
    return 1.0 if not discordant else float(binomtest(only_first, discordant, 0.5).pvalue)


def as_document(figure: Figure) -> dict[str, float | None]:
    """A figure as it stands in reports."""
    return {name: None if value is None else round(value, 4) for name, value in figure._asdict().items()}


def _figure(once: NDArray[np.float64], drawn: NDArray[np.float64]) -> Figure:
    value = float(once[0])
    if np.isnan(value):
        return Figure(None, None, None)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return Figure(value, float(low), float(high))


def _warning(only_first: int, only_second: int, rows: int, p_value: float) -> str | None:
    """Said where a difference is seen that the rows are too few to tell from luck."""
    if p_value <= 1 - CONFIDENCE or only_first == only_second:
        return None
    seen = abs(only_first - only_second) / (only_first + only_second)
    needed = int(np.ceil((1.96 / seen) ** 2 / ((only_first + only_second) / rows)))
    return f"{rows} rows do not tell this difference from luck; about {needed:,} would"
