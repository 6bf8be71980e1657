"""The numbers of the reports against the tables that they tell of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from exemplars.audit.verification.checks import Check, problem
from exemplars.audit.verification.parameters import value_at
from exemplars.audit.verification.tables import SPLITS, Tables
from exemplars.core import layout
from exemplars.core.errors import Diagnostic

Numbers = dict[str, int | dict[str, int]]
"""What the tables say, by the dotted key of the report."""
_NONE: Final[Any] = object()


def check_counts(tables: Tables, sources: Iterable[str], reports: Iterable[str]) -> Check:
    """Count the rows anew, and compare with the reports.

    sources: that were read. reports: the paths of those that the stages wrote.
    """
    about: dict[Path, Callable[[], Numbers]] = {
        layout.report("compile"): lambda: _compile(tables),
        layout.report("curate"): lambda: _curate(tables),
        layout.report("split"): lambda: _split(tables),
        layout.report("render"): lambda: _render(tables),
        layout.report("evaluate"): lambda: _evaluate(tables),
    }
    for name in sources:
        about[layout.report(f"ingest/{name}")] = lambda name=name: _ingest(tables, name)  # type: ignore[misc]
    written = set(reports)
    problems: list[Diagnostic] = []
    counted = looked = 0
    for path, count in about.items():
        if path.as_posix() not in written:
            continue
        try:
            numbers = count()
        except KeyError:  # A table that cannot be read, which is told elsewhere.
            continue
        counted, looked = counted + len(numbers), looked + 1
        problems += _differences(path, tables.files / path, numbers)
    return Check("reports", f"{counted:,} numbers of {looked:,} reports counted anew", tuple(problems))


def _differences(path: Path, place: Path, numbers: Mapping[str, Any]) -> Iterator[Diagnostic]:
    fix = f"`git diff {path.as_posix()}` shows a change: take it back, or run `dvc repro`"
    try:
        report = json.loads(place.read_bytes())
    except FileNotFoundError:
        return  # It is named by its hash.
    except ValueError as error:
        yield problem(path.as_posix(), "unreadable_report", f"no JSON ({error})", "a report", fix)
        return
    for key, number in numbers.items():
        try:
            told = value_at(report, key)
        except KeyError:
            told = _NONE
        if told != number:
            found = f"no key {key}" if told is _NONE else f"{key} {told}"
            yield problem(path.as_posix(), "wrong_count", found, f"{number} by the tables", fix)


def _table(tables: Tables, path: Path) -> pa.Table:
    table = tables.narrow(path)
    if table is None:
        raise KeyError(path)
    return table


def _by(table: pa.Table, column: str) -> dict[str, int]:
    return dict(Counter(one for one in table.column(column).to_pylist() if one is not None))


def _ingest(tables: Tables, name: str) -> Numbers:
    records = _table(tables, layout.records(name))
    rejections = _table(tables, layout.record_rejections(name))
    return {
        "read": records.num_rows + rejections.num_rows,
        "records": records.num_rows,
        "rejections": rejections.num_rows,
        "rejections_by_reason": _by(rejections, "reason"),
        "records_by_mode": _by(records, "mode"),
    }


def _compile(tables: Tables) -> Numbers:
    exemplars = _table(tables, layout.EXEMPLARS)
    rejections = _table(tables, layout.ledger_path(layout.EXEMPLARS))
    return {
        "records": exemplars.num_rows + rejections.num_rows,
        "exemplars": exemplars.num_rows,
        "rejections": rejections.num_rows,
        "exemplars_by_source": _by(exemplars, "source"),
        "rejections_by_reason": _by(rejections, "reason"),
        "exemplars_by_mode": _by(exemplars, "mode"),
    }


def _curate(tables: Tables) -> Numbers:
    kept = _table(tables, layout.CURATED)
    rejections = _table(tables, layout.ledger_path(layout.CURATED))
    return {
        "exemplars": kept.num_rows + rejections.num_rows,
        "kept": kept.num_rows,
        "rejected": rejections.num_rows,
        "rejections_by_reason": _by(rejections, "reason"),
    }


def _split(tables: Tables) -> Numbers:
    rows = {name: _table(tables, layout.split(name)).num_rows for name in SPLITS}
    leaked = _table(tables, layout.ledger_path(layout.MANIFEST))
    return {
        "exemplars": sum(rows.values()) + leaked.num_rows,
        **{f"rows.{name}": count for name, count in rows.items()},
        "leaked": leaked.num_rows,
        "leaked_by_source": _by(leaked, "source"),
        "speech_views": _by(_table(tables, layout.split_speech()), "split"),
    }


def _render(tables: Tables) -> Numbers:
    rows = {name: _table(tables, layout.training(name)) for name in SPLITS}
    rejected = _table(tables, layout.ledger_path(layout.TRAINING_BASE)).num_rows
    return {
        "prompts": sum(table.num_rows for table in rows.values()) + rejected,
        "rejected": rejected,
        **{f"splits.{name}.rows": table.num_rows for name, table in rows.items()},
        **{f"splits.{name}.rows_by_view": _by(table, "view") for name, table in rows.items()},
    }


def _evaluate(tables: Tables) -> Numbers:
    asked = set(_table(tables, layout.PREDICTIONS).column("id").to_pylist())
    test = _table(tables, layout.training("test"))
    flags = dict(zip(test.column("id").to_pylist(), test.column("speech").to_pylist(), strict=True))
    views = sum(bool(flags.get(one)) for one in asked)
    return {"rows": len(asked) - views, "speech_views": views}
