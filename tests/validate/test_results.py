"""Results of expectations: the figure, the bound, its key and line, and the action."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from exemplars.core import layout
from stages.validate.measures import Unit
from stages.validate.report import build_validation_report
from stages.validate.results import ExpectationResult, build_results, list_diagnostics
from stages.validate.suite_checks import Outcome
from stages.validate.suite_tables import SkillCounts, SourceCounts
from tests.conftest import PROJECT

PARAMS = {"max_rejection_rate": 0.1, "min_rows_a_skill": 3, "max_skill_share": 0.9}
LINES = {"max_rejection_rate": 95}


def build(suite: str, rows: list[Any], passed: list[bool]) -> list[ExpectationResult]:
    definition = json.loads((PROJECT / layout.expectations(suite)).read_bytes())
    outcomes = [Outcome(suite, number, met, "", None) for number, met in enumerate(passed)]
    return build_results({suite: definition}, {suite: pd.DataFrame(rows)}, outcomes, PARAMS, LINES)


def test_a_broken_bound_says_figure_bound_key_line_and_action() -> None:
    rows = [SourceCounts("hotel", 36, 31, 5, 5 / 36), SourceCounts("tools", 40, 39, 1, 0.025)]
    results = build("sources", rows, [True, False])
    assert [str(diagnostic) for diagnostic in list_diagnostics(results, "critical")] == [
        "params.yaml:95: max_rejection_rate: source hotel: 5 of 36 (13.9 %) rejected; at most 10 % "
        "(validate.max_rejection_rate); see `exemplars rejections --source hotel`, and correct the records, "
        "or raise the bound"
    ]
    assert results[1] == ExpectationResult(
        suite="sources",
        expectation="at most validate.max_rejection_rate of a source's records in scope rejected",
        severity="critical",
        found=0.138889,
        bound=0.1,
        margin=-0.038889,
        unit=Unit.SHARE,
        key="validate.max_rejection_rate",
        passed=False,
        message=results[1].message,
        line=95,
    )


def test_the_value_nearest_to_a_bound_that_is_met_is_reported_with_its_margin() -> None:
    results = build("skills", [SkillCounts("a", 6, 0.6), SkillCounts("b", 4, 0.4)], [True, True, True])
    assert [(item.found, item.bound, item.margin) for item in results[1:]] == [(4, 3, 1), (0.6, 0.9, 0.3)]
    assert [item.message for item in results] == ["", "", ""]


def test_several_broken_rows_are_listed_farthest_first() -> None:
    rows = [SkillCounts(name, number, 0.1) for number, name in enumerate("abc")]
    [warning] = list_diagnostics(build("skills", rows, [True, False, True]), "warning")
    assert str(warning) == (
        "params.yaml: min_rows_a_skill: exemplars of a: 0, exemplars of b: 1, exemplars of c: 2; at least 3 "
        "(validate.min_rows_a_skill); add exemplars of the skill"
    )


def test_an_expectation_without_a_bound_counts_the_rows_that_break_it() -> None:
    suite = json.loads((PROJECT / layout.expectations("pairs")).read_bytes())
    outcome = Outcome("pairs", 0, False, "2 rows, such as pair=a | b", 2)
    [result] = build_results({"pairs": suite}, {"pairs": pd.DataFrame()}, [outcome], {}, {})
    assert (result.found, result.bound, result.margin, result.unit) == (2, 0, -2, Unit.ROWS)
    assert [str(diagnostic) for diagnostic in list_diagnostics([result], "critical")] == [
        "schemas/expectations/pairs.json: pairs: found 2 rows, such as pair=a | b, expected no two texts that "
        "are nearly the same in two splits; correct these rows in their source"
    ]


def test_the_report_has_no_line_so_that_a_comment_changes_nothing() -> None:
    report = build_validation_report(build("skills", [SkillCounts("a", 1, 1.0)], [True, False, False]))
    assert (report["expectations"], report["failed_critical"], report["failed_warning"]) == (3, 1, 1)
    assert "line" not in report["results"][1]
