"""The result of each expectation: what was found, the bound, the margin, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import pandas as pd

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.params import PATH
from exemplars.core.terminal import print_errors
from stages.validate.measures import MEASURES, Measure, Unit, describe_row
from stages.validate.suite_checks import Outcome, choose_side

_DIGITS: Final = 6
_CORRECT_ROWS: Final = "correct these rows in their source"


class ExpectationResult(msgspec.Struct, frozen=True):
    """An expectation, and how the dataset meets it."""

    suite: str
    expectation: str
    """What is expected, as a sentence without a verb."""
    severity: str
    """`critical` stops the pipeline; `warning` does not."""
    found: float | None
    """The value that is nearest to the bound, or beyond it; or the number of rows that break the expectation."""
    bound: float
    margin: float | None
    """How far `found` is within the bound; negative if it is beyond."""
    unit: Unit
    """Of `found`, `bound` and `margin`."""
    key: str | None
    """The parameter that sets the bound."""
    passed: bool
    message: str
    """What is wrong, and what to do; empty if it is met."""
    line: int | None = None
    """Of the key in params.yaml, if the expectation is broken."""


def build_results(
    suites: Mapping[str, dict[str, Any]],
    tables: Mapping[str, pd.DataFrame],
    outcomes: Iterable[Outcome],
    params: Mapping[str, Any],
    lines: Mapping[str, int | None],
) -> list[ExpectationResult]:
    """Build the results of all expectations, in the order of their outcomes.

    suites, tables: by the same names. params: the section `validate`. lines: of its keys in params.yaml.
    """
    return [
        _build_result(outcome, suites[outcome.suite], tables[outcome.suite], params, lines)
        for outcome in outcomes
    ]


def report_broken(results: Sequence[ExpectationResult]) -> None:
    """Print a warning for each broken expectation; raise `UserError` if a critical one is broken."""
    print_errors(f"warning: {warning}" for warning in list_diagnostics(results, "warning"))
    if problems := list_diagnostics(results, "critical"):
        raise UserError(problems)


def list_diagnostics(results: Iterable[ExpectationResult], severity: str) -> list[Diagnostic]:
    """List what is broken, of one severity."""
    return [
        _describe_result(result) for result in results if not result.passed and result.severity == severity
    ]


def _build_result(
    outcome: Outcome,
    suite: Mapping[str, Any],
    table: pd.DataFrame,
    params: Mapping[str, Any],
    lines: Mapping[str, int | None],
) -> ExpectationResult:
    expectation = suite["expectations"][outcome.number]
    kwargs = expectation["kwargs"]
    column = kwargs.get("column", "")
    measure = MEASURES.get((outcome.suite, column))
    side = choose_side(kwargs)
    common = {
        "suite": outcome.suite,
        "expectation": name_expectation(expectation),
        "severity": expectation.get("severity", "critical"),
        "passed": outcome.passed,
    }
    if measure is None or side is None:
        return ExpectationResult(**common, **_describe_rows(outcome, common["expectation"]))
    key, bound = _read_bound(kwargs[side], params)
    values = table[column].tolist() if column else [len(table)]
    found = (min if side == "min_value" else max)(values, default=None)
    margin = None if found is None else (found - bound if side == "min_value" else bound - found)
    rows = _list_broken_rows(table, column, side, bound)
    needs = (expectation.get("meta") or {}).get("needs", "")
    return ExpectationResult(
        **common,
        found=_round(found),
        bound=round(bound, _DIGITS),
        margin=_round(margin),
        unit=measure.unit,
        key=None if key is None else f"validate.{key}",
        message="" if outcome.passed else _compose_message(measure, rows, params, side, key, bound, needs),
        line=None if outcome.passed or key is None else lines.get(key),
    )


def name_expectation(expectation: Mapping[str, Any]) -> str:
    """Name an expectation of a suite: by its notes, or by its type and column."""
    notes = (expectation.get("meta") or {}).get("notes")
    return notes or f"{expectation['type']}({expectation['kwargs'].get('column', 'table')})"


def _describe_rows(outcome: Outcome, name: str) -> dict[str, Any]:
    """Describe what was found of an expectation without a bound: the fields of an `ExpectationResult`."""
    broken = outcome.unexpected
    return {
        "found": broken,
        "bound": 0,
        "margin": None if broken is None else -broken,
        "unit": Unit.ROWS,
        "key": None,
        "message": "" if outcome.passed else f"found {outcome.found}, expected {name}; {_CORRECT_ROWS}",
    }


def _read_bound(value: Any, params: Mapping[str, Any]) -> tuple[str | None, float]:
    if isinstance(value, dict):
        return value["$PARAMETER"], params[value["$PARAMETER"]]
    return None, value


def _list_broken_rows(table: pd.DataFrame, column: str, side: str, bound: float) -> list[dict[str, Any]]:
    """List the rows beyond a bound, the farthest first; for a table as a whole, its length."""
    if not column:
        return [{"found": len(table)}]
    beyond = table[table[column] < bound] if side == "min_value" else table[table[column] > bound]
    ordered = beyond.sort_values(column, ascending=side == "min_value", kind="stable")
    return [{str(name): value for name, value in row.items()} for row in ordered.to_dict("records")]


def _compose_message(
    measure: Measure,
    rows: Sequence[Mapping[str, Any]],
    params: Mapping[str, Any],
    side: str,
    key: str | None,
    bound: float,
    needs: str,
) -> str:
    """Compose the message of a broken bound. needs: what a dataset needs to meet it, if this one cannot."""
    described = summarize_names(describe_row(measure, row, params) for row in rows)
    limit = f"at {'least' if side == 'min_value' else 'most'} {measure.unit.write(bound)}"
    if key is not None:
        limit += f" (validate.{key})"
    return f"{described}; {limit}; {needs or (measure.fix.format(**rows[0]) if rows else measure.fix)}"


def _describe_result(result: ExpectationResult) -> Diagnostic:
    path = f"{layout.EXPECTATIONS}/{result.suite}.json" if result.key is None else str(PATH)
    code = result.suite if result.key is None else result.key.removeprefix("validate.")
    return Diagnostic(path=path, line=result.line, code=code, fix="", summary=result.message)


def _round(value: float | None) -> float | None:
    """Round a figure, so that it is written alike on every machine; counts stay integers."""
    return None if value is None else round(value, _DIGITS)
