"""Expectations that are judged without Great Expectations, whose import takes several times as long as all checks.

Each check is the comparison that Great Expectations makes for the same type, over the whole column at once; a test
holds them against it. What is not known here, or is broken in a way that takes rows to explain, is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import pandas as pd

from stages.validate.measures import MEASURES


class Outcome(NamedTuple):
    """What is found of an expectation."""

    suite: str
    number: int
    """Of the expectation in its suite, from 0."""
    passed: bool
    found: str
    """What breaks it, for people; empty if it is met, or if it has a bound that is reported instead."""
    unexpected: int | None
    """The number of rows that break it; `None` for an expectation of the whole table."""


Arguments = Mapping[str, Any]
"""Those of an expectation, with the values of its `$PARAMETER`s."""
_INDIFFERENT: Final = frozenset({"type", "kwargs", "severity", "meta", "id"})
"""Fields of an expectation that do not change what it expects."""


def check_suite(
    name: str, suite: Mapping[str, Any], table: pd.DataFrame, bounds: Mapping[str, Any]
) -> list[Outcome] | None:
    """Judge the expectations of a suite, in their order; `None` if Great Expectations has to.

    bounds: the values of the suite's `$PARAMETER`s.
    """
    outcomes = []
    for number, expectation in enumerate(suite["expectations"]):
        unexpected = count_unexpected(expectation, table, bounds)
        if unexpected is None:
            return None
        is_whole = expectation["type"] == _ROW_COUNT
        if unexpected and not is_reported_by_bound(name, expectation["kwargs"]):
            return None
        outcomes.append(Outcome(name, number, not unexpected, "", None if is_whole else unexpected))
    return outcomes


def count_unexpected(
    expectation: Mapping[str, Any], table: pd.DataFrame, bounds: Mapping[str, Any]
) -> int | None:
    """Count the rows that break an expectation, or 1 for a whole table; `None` if it is not known here."""
    kwargs = expectation["kwargs"]
    check = _CHECKS.get((expectation["type"], frozenset(kwargs)))
    named = [value["$PARAMETER"] for value in kwargs.values() if isinstance(value, dict)]
    if check is None or not set(expectation) <= _INDIFFERENT or not set(named) <= set(bounds):
        return None
    columns = kwargs.get("column_list", [kwargs["column"]] if "column" in kwargs else [])
    # Great Expectations leaves missing values out, in a way of its own for each type.
    if not set(columns) <= set(table.columns) or table[columns].isna().any(axis=None):
        return None
    if not len(table) and columns:
        return 0
    resolved = {
        key: bounds[value["$PARAMETER"]] if isinstance(value, dict) else value
        for key, value in kwargs.items()
    }
    return check(table, resolved)


def choose_side(kwargs: Mapping[str, Any]) -> str | None:
    """Choose the bound that is reported: the one that a parameter sets, if there are two; `None` if none is."""
    sides = [side for side in ("max_value", "min_value") if kwargs.get(side) is not None]
    return next((side for side in sides if isinstance(kwargs[side], dict)), sides[0] if sides else None)


def is_reported_by_bound(suite: str, kwargs: Mapping[str, Any]) -> bool:
    """Return whether a broken expectation is reported by its bound, so that its rows are not needed."""
    return (suite, kwargs.get("column", "")) in MEASURES and choose_side(kwargs) is not None


def _count_outside(values: Any, arguments: Arguments) -> int | None:
    """Count the numbers of a column that are beyond a bound; `None` if they or the bounds are no numbers."""
    limits = [arguments[side] for side in ("min_value", "max_value") if side in arguments]
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if not is_number or not all(type(limit) in (int, float) for limit in limits):
        return None
    low = arguments.get("min_value", float("-inf"))
    high = arguments.get("max_value", float("inf"))
    return int((~((values >= low) & (values <= high))).sum())


def _check_between(table: pd.DataFrame, arguments: Arguments) -> int | None:
    return _count_outside(table[arguments["column"]], arguments)


def _check_row_count(table: pd.DataFrame, arguments: Arguments) -> int | None:
    return _count_outside(pd.Series([len(table)]), arguments)


def _check_lengths(table: pd.DataFrame, arguments: Arguments) -> int | None:
    texts = table[arguments["column"]]
    return _count_outside(texts.str.len(), arguments) if _is_text(texts) else None


def _check_in_set(table: pd.DataFrame, arguments: Arguments) -> int | None:
    allowed = arguments["value_set"]
    if not isinstance(allowed, list):
        return None
    return int((~table[arguments["column"]].isin(allowed)).to_numpy().sum())


def _check_unique(table: pd.DataFrame, arguments: Arguments) -> int | None:
    return int(table[arguments["column"]].duplicated(keep=False).sum())


def _check_compound(table: pd.DataFrame, arguments: Arguments) -> int | None:
    return int(table.duplicated(subset=arguments["column_list"], keep=False).sum())


def _check_regex(table: pd.DataFrame, arguments: Arguments) -> int | None:
    texts = table[arguments["column"]]
    return int((~texts.str.contains(arguments["regex"])).sum()) if _is_text(texts) else None


def _is_text(values: Any) -> bool:
    """Return whether all values of a column are texts."""
    return bool(pd.api.types.is_string_dtype(values))


def _list_bounds(*other: str) -> Iterable[frozenset[str]]:
    return (
        frozenset({*other, *sides}) for sides in (("min_value",), ("max_value",), ("min_value", "max_value"))
    )


_ROW_COUNT: Final = "expect_table_row_count_to_be_between"
_CHECKS: Final[Mapping[tuple[str, frozenset[str]], Callable[[pd.DataFrame, Arguments], int | None]]] = {
    **{(_ROW_COUNT, keys): _check_row_count for keys in _list_bounds()},
    **{("expect_column_values_to_be_between", keys): _check_between for keys in _list_bounds("column")},
    **{
        ("expect_column_value_lengths_to_be_between", keys): _check_lengths for keys in _list_bounds("column")
    },
    ("expect_column_values_to_be_in_set", frozenset({"column", "value_set"})): _check_in_set,
    ("expect_column_values_to_be_unique", frozenset({"column"})): _check_unique,
    ("expect_compound_columns_to_be_unique", frozenset({"column_list"})): _check_compound,
    ("expect_column_values_to_match_regex", frozenset({"column", "regex"})): _check_regex,
}
"""By type, and the arguments that it has: with any other argument, Great Expectations judges."""
