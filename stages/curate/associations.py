"""How strongly demographic mentions depend on the skill."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from exemplars.core.representativeness import Association
from stages.curate.slices import DEMOGRAPHIC


def measure_associations(mentions: Mapping[tuple[str, str, str], int]) -> list[Association]:
    """Test for each demographic dimension whether its slices depend on skills.

    Only rows with a mention count. A dimension with fewer than two slices or two skills has effect 0 and
    p-value 1.

    mentions: as in `SliceCounts`.
    """
    rows, effects, p_values = [], [], []
    for name in DEMOGRAPHIC:
        pairs = {
            (mention, skill): count
            for (dimension, mention, skill), count in mentions.items()
            if dimension == name
        }
        effect, p_value = _test_independence(pairs)
        rows.append(sum(pairs.values()))
        effects.append(effect)
        p_values.append(p_value)
    return [
        Association(name, count, round(effect, 6), round(p_value, 6))
        for name, count, effect, p_value in zip(
            DEMOGRAPHIC, rows, effects, _correct_p_values(p_values), strict=True
        )
    ]


def _test_independence(pairs: Mapping[tuple[str, str], int]) -> tuple[float, float]:
    """Return Cramér's V with Bergsma's bias correction (2013), and the p-value of the chi-squared test.

    pairs: the number of rows of each pair of mention and skill.
    """
    mentions = sorted({mention for mention, _ in pairs})
    skills = sorted({skill for _, skill in pairs})
    if len(mentions) < 2 or len(skills) < 2:
        return 0.0, 1.0
    from scipy.special import chdtrc  # `scipy.stats` takes a second to import.

    observed = np.array([[pairs.get((mention, skill), 0) for skill in skills] for mention in mentions])
    total = sum(pairs.values())
    expected = observed.sum(axis=1, keepdims=True) * observed.sum(axis=0, keepdims=True) / total
    statistic = float(((observed - expected) ** 2 / expected).sum())
    rows, columns = len(mentions), len(skills)
    phi2 = max(0.0, statistic / total - (rows - 1) * (columns - 1) / (total - 1))
    corrected_rows = rows - (rows - 1) ** 2 / (total - 1)
    corrected_columns = columns - (columns - 1) ** 2 / (total - 1)
    degrees = min(corrected_rows, corrected_columns) - 1
    return (math.sqrt(phi2 / degrees) if degrees > 0 else 0.0), float(
        chdtrc((rows - 1) * (columns - 1), statistic)
    )


def _correct_p_values(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for multiple tests (Holm 1979)."""
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - rank)))
        corrected[index] = largest
    return corrected
