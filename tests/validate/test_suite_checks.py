from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stages.validate.checkpoint import run_checkpoint
from stages.validate.suite_checks import check_suite, count_unexpected

TABLE = pd.DataFrame(
    {
        "id": ["a", "b", "b", "ç"],
        "digest": ["0f", "0F", "", "f0\n"],
        "rows": [0, 3, -2, 7],
        "share": [0.0, 0.25, 1.0, 0.5],
        "good": [True, True, False, True],
        "gap": [1.0, None, 2.0, 3.0],
    }
)
BOUNDS = {"least": 3, "most": 0.5}


def expect(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {
        "type": f"expect_{kind}",
        "kwargs": kwargs,
        "severity": "critical",
        "meta": {"notes": "what must hold"},
    }


KNOWN = [
    (expect("table_row_count_to_be_between", min_value=4), 0),
    (expect("table_row_count_to_be_between", min_value=1, max_value=3), 1),
    (expect("table_row_count_to_be_between", min_value={"$PARAMETER": "least"}), 0),
    (expect("column_values_to_be_between", column="rows", min_value=0), 1),
    (expect("column_values_to_be_between", column="rows", min_value={"$PARAMETER": "least"}), 2),
    (expect("column_values_to_be_between", column="rows", min_value=-2, max_value=7), 0),
    (expect("column_values_to_be_between", column="share", max_value={"$PARAMETER": "most"}), 1),
    (expect("column_values_to_be_in_set", column="good", value_set=[True]), 1),
    (expect("column_values_to_be_in_set", column="good", value_set=[True, False]), 0),
    (expect("column_values_to_be_in_set", column="id", value_set=["a", "b"]), 1),
    (expect("column_values_to_be_unique", column="id"), 2),
    (expect("column_values_to_be_unique", column="rows"), 0),
    (expect("compound_columns_to_be_unique", column_list=["id", "rows"]), 0),
    (expect("compound_columns_to_be_unique", column_list=["id", "good"]), 0),
    (expect("column_values_to_match_regex", column="digest", regex="^[0-9a-f]{2}$"), 2),
    (expect("column_values_to_match_regex", column="id", regex="."), 0),
    (expect("column_value_lengths_to_be_between", column="digest", min_value=1), 1),
    (expect("column_value_lengths_to_be_between", column="digest", min_value=0, max_value=2), 1),
]
UNKNOWN = [
    expect("column_values_to_be_between", column="rows", min_value=0, strict_min=True),
    expect("column_values_to_be_between", column="rows", min_value=0, mostly=0.5),
    expect("column_values_to_be_between", column="gap", min_value=0),
    expect("column_values_to_be_between", column="id", min_value=0),
    expect("column_values_to_be_between", column="good", min_value=0),
    expect("column_values_to_be_between", column="rows", min_value=None),
    expect("column_values_to_be_between", column="rows", min_value={"$PARAMETER": "lost"}),
    expect("column_values_to_be_unique", column="lost"),
    expect("column_value_lengths_to_be_between", column="rows", min_value=1),
    expect("column_mean_to_be_between", column="rows", min_value=0),
    {**expect("column_values_to_be_unique", column="id"), "row_condition": "good"},
]


@pytest.mark.parametrize(("expectation", "unexpected"), KNOWN)
def test_rows_that_break_an_expectation_are_counted(expectation: dict[str, Any], unexpected: int) -> None:
    assert count_unexpected(expectation, TABLE, BOUNDS) == unexpected


@pytest.mark.parametrize("table", [TABLE, TABLE.iloc[:0], TABLE.iloc[:1]])
def test_great_expectations_finds_the_same(tmp_path: Path, table: pd.DataFrame) -> None:
    expectations = [expectation for expectation, _ in KNOWN]
    suite = {"name": "rows", "expectations": expectations, "meta": {}}
    outcomes = run_checkpoint({"rows": suite}, {"rows": table}, BOUNDS, tmp_path / "docs")
    counted = [count_unexpected(expectation, table, BOUNDS) for expectation in expectations]
    assert [outcome.passed for outcome in outcomes] == [not unexpected for unexpected in counted]
    assert [outcome.unexpected for outcome in outcomes if outcome.unexpected is not None] == [
        unexpected
        for expectation, unexpected in zip(expectations, counted, strict=True)
        if "row_count" not in expectation["type"]
    ]


@pytest.mark.parametrize("expectation", UNKNOWN)
def test_what_is_not_known_is_left_to_great_expectations(expectation: dict[str, Any]) -> None:
    assert count_unexpected(expectation, TABLE, BOUNDS) is None
    assert check_suite("rows", {"expectations": [KNOWN[0][0], expectation]}, TABLE, BOUNDS) is None


def test_a_broken_expectation_needs_great_expectations_unless_its_bound_is_reported() -> None:
    skills = pd.DataFrame({"skill": ["call"], "rows": [1], "share": [1.0]})
    few = expect("column_values_to_be_between", column="rows", min_value={"$PARAMETER": "least"})
    [outcome] = check_suite("skills", {"expectations": [few]}, skills, BOUNDS) or []
    assert (outcome.passed, outcome.unexpected) == (False, 1)
    twice = expect("column_values_to_be_unique", column="id")
    assert check_suite("exemplars", {"expectations": [twice]}, TABLE, BOUNDS) is None
