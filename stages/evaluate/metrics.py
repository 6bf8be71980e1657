"""The metrics of calls: ratios of the counts of their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exemplars.core.bootstrap import Metric, divide_or_nan
from exemplars.models.scoring import Score

COUNTS: Final = (
    "exact",
    "calls_compared",
    "skill_correct",
    "arguments_correct",
    "arguments_predicted",
    "arguments_expected",
    "none_correct",
    "none_predicted",
    "none_expected",
    "well_formed",
    "calls_predicted",
    "hallucinated_functions",
    "hallucinated_arguments",
)
"""The fields of a `Score` that are summed."""

CALL_METRICS: Final[dict[str, Metric]] = {
    "exact_match": lambda sums: divide_or_nan(sums["exact"], sums["rows"]),
    "skill_accuracy": lambda sums: divide_or_nan(sums["skill_correct"], sums["calls_compared"]),
    "argument_precision": lambda sums: divide_or_nan(sums["arguments_correct"], sums["arguments_predicted"]),
    "argument_recall": lambda sums: divide_or_nan(sums["arguments_correct"], sums["arguments_expected"]),
    "argument_f1": lambda sums: divide_or_nan(
        2 * sums["arguments_correct"], sums["arguments_predicted"] + sums["arguments_expected"]
    ),
    "no_call_precision": lambda sums: divide_or_nan(sums["none_correct"], sums["none_predicted"]),
    "no_call_recall": lambda sums: divide_or_nan(sums["none_correct"], sums["none_expected"]),
    "well_formed": lambda sums: divide_or_nan(sums["well_formed"], sums["rows"]),
    "hallucinated_functions": lambda sums: divide_or_nan(
        sums["hallucinated_functions"], sums["calls_predicted"]
    ),
    "hallucinated_arguments": lambda sums: divide_or_nan(
        sums["hallucinated_arguments"], sums["arguments_predicted"]
    ),
}
"""The metrics of calls, by their names in reports."""


def build_count_columns(scores: Sequence[Score]) -> dict[str, NDArray[np.float64]]:
    """Build the columns that `CALL_METRICS` need."""
    return {name: np.array([getattr(score, name) for score in scores], dtype=np.float64) for name in COUNTS}
