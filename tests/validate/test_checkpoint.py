from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from stages.validate.checkpoint import run_checkpoint
from stages.validate.pages import normalize_page
from stages.validate.suite_checks import Outcome


def expectation(kind: str, severity: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "severity": severity, "meta": {"notes": "what must hold"}}


def validate(tmp_path: Path, *expectations: dict[str, Any]) -> tuple[Outcome, ...]:
    suite = {"name": "rows", "expectations": list(expectations), "meta": {}}
    table = pd.DataFrame({"id": [f"r{number}" for number in range(9)], "good": [True] * 2 + [False] * 7})
    return run_checkpoint({"rows": suite}, {"rows": table}, {"minimum": 20}, tmp_path / "docs")


def test_a_failed_expectation_shows_five_rows(tmp_path: Path) -> None:
    rule = expectation("expect_column_values_to_be_in_set", "critical", column="good", value_set=[True])
    assert validate(tmp_path, rule) == (
        Outcome(
            "rows",
            0,
            False,
            "7 rows, such as good=False, id=r2; good=False, id=r3; good=False, id=r4; good=False, id=r5; "
            "good=False, id=r6",
            7,
        ),
    )


def test_a_bound_comes_from_the_parameters(tmp_path: Path) -> None:
    bound = {"$PARAMETER": "minimum"}
    rule = expectation("expect_table_row_count_to_be_between", "warning", min_value=bound)
    assert validate(tmp_path, rule) == (Outcome("rows", 0, False, "9", None),)


def test_outcomes_are_in_the_order_of_the_suite_and_data_docs_are_built(tmp_path: Path) -> None:
    outcomes = validate(
        tmp_path,
        expectation("expect_column_values_to_be_unique", "critical", column="good"),
        expectation("expect_column_values_to_be_unique", "critical", column="id"),
    )
    assert [(outcome.number, outcome.passed) for outcome in outcomes] == [(0, False), (1, True)]
    pages = sorted(page.name for page in (tmp_path / "docs").rglob("*.html"))
    assert "index.html" in pages
    assert len(pages) == 3


def test_an_unknown_column_is_a_failure_without_a_traceback(tmp_path: Path) -> None:
    [outcome] = validate(
        tmp_path, expectation("expect_column_values_to_be_unique", "critical", column="lost")
    )
    assert not outcome.passed
    assert "lost" in outcome.found


def test_a_normalized_page_has_neither_times_nor_random_ids() -> None:
    page = (
        "<a id='0f8fad5b-d9cb-469f-a165-70867728950e'> <a href='#0f8fad5b-d9cb-469f-a165-70867728950e'> "
        "<a id='7c9e6679-7425-40de-944b-e07fc1f90ae7'> <script src='x.js?d=20261121T071646.123456Z'>"
    )
    assert (
        normalize_page(page)
        == "<a id='id-1'> <a href='#id-1'> <a id='id-2'> <script src='x.js?d=20000101T000000.000000Z'>"
    )
