"""Bounds that a dataset of one or two skills cannot meet, whatever its rows are: they warn, and stop nothing."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from stages.validate.params import ValidateParams


def soften_unreachable_bounds(
    suites: Mapping[str, dict[str, Any]], tables: Mapping[str, pd.DataFrame], params: ValidateParams
) -> dict[str, dict[str, Any]]:
    """Return suites in which the expectations that so few skills cannot meet are warnings that say what they need.

    suites, tables: by the same names. "No call" counts as a skill, as it does in the table `skills`.
    """
    classes = int((tables["skills"]["rows"] > 0).sum())
    needed = {
        ("skills", "share"): math.ceil(1 / params.max_skill_share) if params.max_skill_share else 1,
        ("data", "skill_entropy"): 2 if params.min_skill_entropy > 0 else 1,
    }
    softened = copy.deepcopy(dict(suites))
    for name, suite in softened.items():
        for expectation in suite["expectations"]:
            least = needed.get((name, expectation["kwargs"].get("column", "")), 0)
            if classes < least:
                expectation["severity"] = "warning"
                expectation["meta"] = {
                    **expectation.get("meta", {}),
                    "needs": f"only a dataset of at least {least} skills, with `no call` as one, can meet it",
                }
    return softened
