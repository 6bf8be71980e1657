"""Where a recorded output differs from the recomputed one: rows, keys or lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.audit.verification.checks import build_diagnostic, cap_problems
from exemplars.core.errors import Diagnostic, quote_text

_ABSENT: Final = object()
_CONTEXT: Final = 20
"""Code points before the first difference of two texts that a message shows."""


def find_differences(path: str, recorded: Path, recomputed: Path, stage: str) -> list[Diagnostic]:
    """Find where a recorded output differs in content from the one that a stage makes of its inputs.

    path: of the output, for messages. recorded, recomputed: the files.
    """
    fix = f"`git diff {path}` or `dvc checkout -f {path}` helps to restore it, or run `dvc repro {stage}`"
    if not recomputed.is_file():
        return [build_diagnostic(path, "other_output", "a file", f"none, as {stage} writes none", fix)]
    if not recorded.is_file():
        return []  # `check_files` reports it.
    before, after = recorded.read_bytes(), recomputed.read_bytes()
    if before == after:
        return []
    places: Iterator[tuple[str, str, str]]
    if path.endswith(".parquet"):
        places = _compare_tables(recorded, recomputed)
    elif path.endswith(".json"):
        places = _compare_documents(before, after)
    else:
        places = _compare_lines(before, after)
    problems = (
        build_diagnostic(f"{path}: {place}", "other_output", found, f"{expected}, recomputed by {stage}", fix)
        for place, found, expected in places
    )
    return cap_problems(problems, path)


def find_json_differences(recorded: Any, recomputed: Any, key: str = "") -> Iterator[tuple[str, str, str]]:
    """Find the innermost keys whose values differ, with both values as text.

    >>> list(find_json_differences({"rows": [1, 2]}, {"rows": [1, 3]}))
    [('rows[1]', '2', '3')]
    """
    if isinstance(recorded, dict) and isinstance(recomputed, dict):
        for name in dict.fromkeys([*recomputed, *recorded]):
            inner = f"{key}.{name}" if key else str(name)
            yield from find_json_differences(
                recorded.get(name, _ABSENT), recomputed.get(name, _ABSENT), inner
            )
    elif isinstance(recorded, list) and isinstance(recomputed, list):
        for place, (before, after) in enumerate(zip_longest(recorded, recomputed, fillvalue=_ABSENT)):
            yield from find_json_differences(before, after, f"{key}[{place}]")
    elif recorded != recomputed or isinstance(recorded, bool) is not isinstance(recomputed, bool):
        yield key or "the document", _format_value(recorded), _format_value(recomputed)


def _format_value(value: Any) -> str:
    return "no such key" if value is _ABSENT else quote_text(value) if isinstance(value, str) else str(value)


def _compare_documents(recorded: bytes, recomputed: bytes) -> Iterator[tuple[str, str, str]]:
    try:
        before = json.loads(recorded)
    except (ValueError, RecursionError):
        return _compare_lines(recorded, recomputed)
    return find_json_differences(before, json.loads(recomputed))


def _compare_lines(recorded: bytes, recomputed: bytes) -> Iterator[tuple[str, str, str]]:
    """Find the lines that differ, from the first difference in each."""
    lines = zip_longest(
        recorded.decode("utf-8", "replace").split("\n"), recomputed.decode("utf-8", "replace").split("\n")
    )
    for number, (before, after) in enumerate(lines, start=1):
        if before != after:
            yield f"line {number}", *_quote_difference(before, after)


def _quote_difference(before: str | None, after: str | None) -> tuple[str, str]:
    """Quote two texts from shortly before their first difference."""
    if before is None or after is None:
        return tuple("no such line" if text is None else quote_text(text) for text in (before, after))  # type: ignore[return-value]
    pairs = enumerate(zip_longest(before, after))
    start = max(0, next(place for place, (old, new) in pairs if old != new) - _CONTEXT)
    return quote_text(before[start:]), quote_text(after[start:])


def _compare_tables(recorded: Path, recomputed: Path) -> Iterator[tuple[str, str, str]]:
    try:
        before = pq.ParquetFile(recorded).read()
    except (pa.ArrowException, OSError, ValueError) as error:
        yield "the file", f"no readable table ({' '.join(str(error).split())[:120]})", "a table"
        return
    after = pq.ParquetFile(recomputed).read()
    if not before.schema.equals(after.schema):
        yield "the columns", ", ".join(before.schema.names), ", ".join(after.schema.names)
    elif not before.equals(after):
        yield from _compare_rows(before, after)


def _compare_rows(before: pa.Table, after: pa.Table) -> Iterator[tuple[str, str, str]]:
    """Find the values that differ, row by row; rows with the same key, else with the same number, are compared."""
    keys = [name for name in ("id", "condition", "system", "reason", "view") if name in before.column_names]
    recorded, recomputed = (_index_rows(table, keys) for table in (before, after))
    if not keys or len(recorded) < before.num_rows or len(recomputed) < after.num_rows:
        recorded, recomputed = (_index_rows(table, []) for table in (before, after))
    yield from _compare_indexed(recorded, recomputed, before, after)


def _index_rows(table: pa.Table, keys: list[str]) -> dict[str, int]:
    """Index the rows by their key columns, or by their number if there are none."""
    if not keys:
        return {f"row {number + 1}": number for number in range(table.num_rows)}
    columns = zip(*(table.column(name).to_pylist() for name in keys), strict=True)
    return {" ".join(map(str, values)): number for number, values in enumerate(columns)}


def _compare_indexed(
    recorded: dict[str, int], recomputed: dict[str, int], before: pa.Table, after: pa.Table
) -> Iterator[tuple[str, str, str]]:
    for key in dict.fromkeys([*recomputed, *recorded]):
        if key not in recorded:
            yield key, "no such row", "a row"
        elif key not in recomputed:
            yield key, "a row", "no such row"
        else:
            (old,), (new,) = (
                table.slice(number, 1).to_pylist()
                for table, number in ((before, recorded[key]), (after, recomputed[key]))
            )
            for place, found, expected in find_json_differences(old, new):
                yield f"{key}: {place}", found, expected
    if recorded.keys() == recomputed.keys() and before.num_rows == after.num_rows:
        orders = [sorted(index, key=index.__getitem__) for index in (recorded, recomputed)]
        if orders[0] != orders[1]:
            yield "the order of the rows", "another order", "that of the stage"
