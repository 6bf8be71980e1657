from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from exemplars.core import layout
from stages.validate.checkpoint import Outcome
from stages.validate.params import ValidateParams
from stages.validate.reachability import soften_unreachable_bounds
from stages.validate.results import build_results, list_diagnostics
from stages.validate.suite_tables import SkillCounts
from tests.conftest import PROJECT

PARAMS = {"max_skill_share": 0.4, "min_rows_a_skill": 3}
SUITES = {name: json.loads((PROJECT / layout.expectations(name)).read_bytes()) for name in ("skills", "data")}


def tables(*rows: int) -> dict[str, pd.DataFrame]:
    counts = [SkillCounts(f"skill{index}", count, count / sum(rows)) for index, count in enumerate(rows)]
    return {"skills": pd.DataFrame(counts)}


def severities(suites: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """The severity of the largest share of a skill, and that of the entropy of skills."""
    columns = {
        expectation["kwargs"]["column"]: expectation["severity"]
        for suite in suites.values()
        for expectation in suite["expectations"]
    }
    return columns["share"], columns["skill_entropy"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((9,), ("warning", "warning")),
        ((9, 0), ("warning", "warning")),
        ((9, 9), ("warning", "critical")),
        ((9, 9, 1), ("critical", "critical")),
    ],
)
def test_a_bound_that_so_few_skills_cannot_meet_is_a_warning(
    rows: tuple[int, ...], expected: tuple[str, str]
) -> None:
    assert severities(soften_unreachable_bounds(SUITES, tables(*rows), ValidateParams())) == expected
    assert severities(SUITES) == ("critical", "critical")


def test_a_bound_that_two_skills_can_meet_stays_critical() -> None:
    params = ValidateParams(max_skill_share=0.6)
    assert severities(soften_unreachable_bounds(SUITES, tables(9, 9), params)) == ("critical", "critical")


def test_the_warning_says_what_the_dataset_needs() -> None:
    suites = soften_unreachable_bounds(SUITES, tables(12, 8), ValidateParams())
    outcomes = [Outcome("skills", number, number < 2, "", None) for number in range(3)]
    results = build_results(suites, tables(12, 8), outcomes, PARAMS, {"max_skill_share": 7})
    assert [str(problem) for problem in list_diagnostics(results, "warning")] == [
        "params.yaml:7: max_skill_share: skill0: 12 exemplars (60 %); at most 40 % (validate.max_skill_share); "
        "only a dataset of at least 3 skills, with `no call` as one, can meet it"
    ]
