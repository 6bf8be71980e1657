"""Verdicts as figures, with intervals: every figure is a ratio of sums over rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from stages.evaluate.scoring import Verdict

Columns = Mapping[str, NDArray[np.float64]]
"""Numbers to be summed, by name; one a row."""
Sums = Mapping[str, NDArray[np.float64]]
"""Sums of columns over rows, one a resample; `rows`: how many rows."""
Metric = Callable[[Sums], NDArray[np.float64]]
"""A figure of each resample; not a number where it is not defined."""
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


def ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Not a number where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


CALL_METRICS: Final[dict[str, Metric]] = {
    "exact_match": lambda one: ratio(one["exact"], one["rows"]),
    "skill_accuracy": lambda one: ratio(one["skill_right"], one["rows"]),
    "argument_precision": lambda one: ratio(one["arguments_right"], one["arguments_predicted"]),
    "argument_recall": lambda one: ratio(one["arguments_right"], one["arguments_expected"]),
    "argument_f1": lambda one: ratio(
        2 * one["arguments_right"], one["arguments_predicted"] + one["arguments_expected"]
    ),
    "none_precision": lambda one: ratio(one["none_right"], one["none_predicted"]),
    "none_recall": lambda one: ratio(one["none_right"], one["none_expected"]),
    "well_formed": lambda one: ratio(one["well_formed"], one["rows"]),
    "invented_skills": lambda one: ratio(one["invented_skill"], one["rows"]),
    "invented_parameters": lambda one: ratio(one["invented_parameters"], one["arguments_predicted"]),
}
"""Figures of verdicts."""


class Figure(NamedTuple):
    """A figure and the interval in which it lies with 95 % confidence; null where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


class Comparison(NamedTuple):
    """One system against another, on the same rows."""

    differences: Mapping[str, Figure]
    """The first less the second, for each metric, by the paired bootstrap."""
    only_first: int
    """Rows that the first alone has right."""
    only_second: int
    p_value: float
    """Of exact match, by McNemar's exact test."""
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

    def figures(
        self, columns: Columns, rows: Sequence[int], metrics: Mapping[str, Metric]
    ) -> dict[str, Figure]:
        """The metrics over the chosen rows. columns: of all rows."""
        once, drawn = self._sums(columns, rows)
        return {name: _figure(metric(once), metric(drawn)) for name, metric in metrics.items()}

    def differences(
        self, first: Columns, second: Columns, rows: Sequence[int], metrics: Mapping[str, Metric]
    ) -> dict[str, Figure]:
        """What the first has more than the second of each metric, over the chosen rows."""
        (once, drawn), (other_once, other_drawn) = (self._sums(one, rows) for one in (first, second))
        return {
            name: _figure(metric(once) - metric(other_once), metric(drawn) - metric(other_drawn))
            for name, metric in metrics.items()
        }

    def compare(
        self, first: Columns, second: Columns, rows: Sequence[int], metrics: Mapping[str, Metric]
    ) -> Comparison:
        """The first system against the second, over the chosen rows. columns: with `exact`."""
        exact, other = first["exact"][list(rows)], second["exact"][list(rows)]
        only_first, only_second = int((exact > other).sum()), int((exact < other).sum())
        p_value = mcnemar(only_first, only_second)
        return Comparison(
            self.differences(first, second, rows, metrics),
            only_first,
            only_second,
            p_value,
            _warning(only_first, only_second, len(rows), p_value),
        )

    def _sums(self, columns: Columns, rows: Sequence[int]) -> tuple[Sums, Sums]:
        """Sums over the rows, shape (1,), and over each resample, shape (resamples,)."""
        chosen = list(rows)
        of_group = self._of_row[chosen]
        counted = {"rows": np.ones(len(chosen)), **{name: one[chosen] for name, one in columns.items()}}
        by_group = {
            name: np.bincount(of_group, values, minlength=self._groups) for name, values in counted.items()
        }
        once = {name: np.array([sums.sum()]) for name, sums in by_group.items()}
        return once, {name: self._weights @ sums for name, sums in by_group.items()}


def count_columns(verdicts: Sequence[Verdict]) -> dict[str, NDArray[np.float64]]:
    """What `CALL_METRICS` need of verdicts."""
    return {name: np.array([getattr(one, name) for one in verdicts], dtype=np.float64) for name in COUNTS}


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
    times = 1.0
    while mcnemar(round(only_first * times), round(only_second * times)) > 1 - CONFIDENCE:
        times *= 1.05
    needed = math.ceil(rows * times)
    return f"{rows} rows do not tell this difference from luck; about {needed:,} such rows would"
