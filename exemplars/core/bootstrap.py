"""Figures with confidence intervals by the bootstrap over groups: every figure is a ratio of sums over rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

Columns = Mapping[str, NDArray[np.float64]]
"""Numbers to be summed, by name; each array has one entry per row."""
Sums = Mapping[str, NDArray[np.float64]]
"""Sums of columns over rows, by name; each array has one entry per resample. `rows` is the number of rows."""
Metric = Callable[[Sums], NDArray[np.float64]]
"""Computes a figure of each resample; NaN where it is undefined."""
CONFIDENCE: Final = 0.95


def divide_or_nan(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide element by element; NaN where the denominator is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)


class Figure(NamedTuple):
    """The value of a metric, and its interval of 95 % confidence; `None` where it is undefined."""

    value: float | None
    low: float | None
    high: float | None


class SystemComparison(NamedTuple):
    """One system against another, on the same rows."""

    differences: Mapping[str, Figure]
    """First minus second, for each metric, by the paired bootstrap."""
    only_first: int
    """Rows that only the first system has right."""
    only_second: int
    p_value: float
    """Of exact match, by McNemar's exact test."""
    warning: str | None


class Resamples:
    """Bootstrap resamples of groups: the same for all systems and metrics, so that they are paired."""

    def __init__(self, groups: Sequence[str], count: int, seed: int) -> None:
        """groups: the group of each row; rows of a group are sampled together. count: of resamples."""
        names = sorted(set(groups))
        numbers = {name: number for number, name in enumerate(names)}
        self._group_of_row = np.array([numbers[group] for group in groups], dtype=np.int64)
        self._groups = len(names)
        generator = np.random.default_rng(seed)
        shares = np.full(self._groups, 1 / max(1, self._groups))
        self._weights = generator.multinomial(self._groups, shares, size=count).astype(np.float64)

    def compute_figures(
        self, columns: Columns, rows: Sequence[int], metrics: Mapping[str, Metric]
    ) -> dict[str, Figure]:
        """Compute the metrics over the rows at some places. columns: of all rows."""
        observed, resampled = self._sum_columns(columns, rows)
        return {name: _build_figure(metric(observed), metric(resampled)) for name, metric in metrics.items()}

    def compute_differences(
        self, first: Columns, second: Columns, rows: Sequence[int], metrics: Mapping[str, Metric]
    ) -> dict[str, Figure]:
        """Compute first minus second of each metric, over the rows at some places."""
        observed, resampled = self._sum_columns(first, rows)
        other_observed, other_resampled = self._sum_columns(second, rows)
        return {
            name: _build_figure(
                metric(observed) - metric(other_observed), metric(resampled) - metric(other_resampled)
            )
            for name, metric in metrics.items()
        }

    def compare(
        self, first: Columns, second: Columns, rows: Sequence[int], metrics: Mapping[str, Metric]
    ) -> SystemComparison:
        """Compare two systems over the rows at some places. Their columns include `exact`."""
        exact, other = first["exact"][list(rows)], second["exact"][list(rows)]
        only_first, only_second = int((exact > other).sum()), int((exact < other).sum())
        p_value = compute_mcnemar_p_value(only_first, only_second)
        return SystemComparison(
            self.compute_differences(first, second, rows, metrics),
            only_first,
            only_second,
            p_value,
            _warn_if_undecided(only_first, only_second, len(rows), p_value),
        )

    def _sum_columns(self, columns: Columns, rows: Sequence[int]) -> tuple[Sums, Sums]:
        """Sum columns over rows, shape (1,), and over each resample, shape (resamples,)."""
        places = list(rows)
        groups = self._group_of_row[places]
        selected = {
            "rows": np.ones(len(places)),
            **{name: column[places] for name, column in columns.items()},
        }
        by_group = {
            name: np.bincount(groups, values, minlength=self._groups) for name, values in selected.items()
        }
        observed = {name: np.array([sums.sum()]) for name, sums in by_group.items()}
        return observed, {name: self._weights @ sums for name, sums in by_group.items()}


def compute_mcnemar_p_value(only_first: int, only_second: int) -> float:
    """Compute the two-sided p-value of McNemar's exact test.

    only_first, only_second: how many rows only one of two systems has right.

    >>> compute_mcnemar_p_value(5, 0)
    0.0625
    """
    discordant = only_first + only_second
    return 1.0 if not discordant else float(binomtest(only_first, discordant, 0.5).pvalue)


def round_figure(figure: Figure) -> dict[str, float | None]:
    """Round a figure to the four digits of reports."""
    return {name: None if value is None else round(value, 4) for name, value in figure._asdict().items()}


def _build_figure(observed: NDArray[np.float64], resampled: NDArray[np.float64]) -> Figure:
    value = float(observed[0])
    if np.isnan(value):
        return Figure(None, None, None)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(resampled, [tail, 1 - tail])
    return Figure(value, float(low), float(high))


def _warn_if_undecided(only_first: int, only_second: int, rows: int, p_value: float) -> str | None:
    """Write a warning if a difference is not significant, with the number of rows at which it would be."""
    if p_value <= 1 - CONFIDENCE or only_first == only_second:
        return None
    times = 1.0
    while compute_mcnemar_p_value(round(only_first * times), round(only_second * times)) > 1 - CONFIDENCE:
        times *= 1.05
    needed = math.ceil(rows * times)
    return f"{rows} rows do not tell this difference from luck; about {needed:,} such rows would"
