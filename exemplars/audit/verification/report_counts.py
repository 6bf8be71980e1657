"""The numbers in the reports against the tables that they describe."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from exemplars.audit.verification.checks import Check, build_diagnostic
from exemplars.audit.verification.parameters import ABSENT, get_value
from exemplars.audit.verification.tables import Tables
from exemplars.core import layout
from exemplars.core.errors import Diagnostic
from exemplars.core.ids import SPLITS

Numbers = dict[str, int | dict[str, int]]
"""What is counted in the tables, by the dotted key of the report."""


class _TableMissing(Exception):
    """A table is missing or unreadable, which other checks report."""


def check_reports(tables: Tables, sources: Iterable[str], reports: Iterable[str]) -> Check:
    """Count the rows again, and compare the counts with the reports.

    sources: all that were read. reports: the paths of those that the stages wrote.
    """
    written = set(reports)
    problems: list[Diagnostic] = []
    counted = compared = 0
    for path, count in _list_counters(sources).items():
        if path.as_posix() not in written:
            continue
        try:
            numbers = count(tables)
        except _TableMissing:
            continue
        counted, compared = counted + len(numbers), compared + 1
        problems += _compare(path, tables.files / path, numbers)
    return Check("reports", f"{counted:,} numbers of {compared:,} reports recounted", tuple(problems))


def _list_counters(sources: Iterable[str]) -> dict[Path, Callable[[Tables], Numbers]]:
    counters: dict[Path, Callable[[Tables], Numbers]] = {
        layout.details("compile"): _count_compile,
        layout.details("curate"): _count_curate,
        layout.details("split"): _count_split,
        layout.details("render"): _count_render,
        layout.report("render"): _count_rendered_rows,
        layout.details("evaluate"): _count_evaluate,
    }
    kept = {
        "compile": (layout.EXEMPLARS,),
        "curate": (layout.CURATED,),
        "split": tuple(map(layout.split, SPLITS)),
    }
    for stage, paths in kept.items():
        counters[layout.report(stage)] = partial(_count_rows, paths, layout.ledger_path(paths[0]))
    for name in sources:
        counters[layout.details(f"ingest/{name}")] = partial(_count_ingest, name)
        ledger = layout.record_rejections(name)
        counters[layout.report(f"ingest/{name}")] = partial(_count_rows, (layout.records(name),), ledger)
    return counters


def _compare(path: Path, place: Path, numbers: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Compare a report with what was counted. path: for messages. place: the file."""
    fix = f"`git diff {path.as_posix()}` shows a change: revert it, or run `dvc repro`"
    try:
        report = json.loads(place.read_bytes())
    except FileNotFoundError:
        return  # `check_files` reports it.
    except ValueError as error:
        yield build_diagnostic(path.as_posix(), "unreadable_report", f"no JSON ({error})", "a report", fix)
        return
    for key, number in numbers.items():
        reported = get_value(report, key)
        if reported != number:
            found = f"no key {key}" if reported is ABSENT else f"{key} = {reported}"
            expected = f"{number}, counted in the tables"
            yield build_diagnostic(path.as_posix(), "wrong_count", found, expected, fix)


def _read(tables: Tables, path: Path) -> pa.Table:
    table = tables.read_keys(path)
    if table is None:
        raise _TableMissing(path)
    return table


def _count_by(table: pa.Table, column: str) -> dict[str, int]:
    return dict(Counter(value for value in table.column(column).to_pylist() if value is not None))


def _count_rows(paths: Sequence[Path], ledger: Path, tables: Tables) -> Numbers:
    """Count the rows that the metrics of every stage have. paths: of the tables of kept rows."""
    kept = sum(_read(tables, path).num_rows for path in paths)
    rejected = _read(tables, ledger).num_rows
    unfilled = _count_templates(tables) if layout.EXEMPLARS in paths else {}
    rows_in = kept + rejected + sum(unfilled.values())
    return {"rows_in": rows_in, "kept": kept, "rejected": rejected, **unfilled}


def _count_templates(tables: Tables) -> dict[str, int]:
    """Count the templates without values; nothing if an earlier version of `compile` wrote no table of them."""
    if layout.TEMPLATES not in tables.paths:
        return {}
    return {"unfilled_templates": _read(tables, layout.TEMPLATES).num_rows}


def _count_ingest(source: str, tables: Tables) -> Numbers:
    records = _read(tables, layout.records(source))
    rejections = _read(tables, layout.record_rejections(source))
    return {
        "read": records.num_rows + rejections.num_rows,
        "records": records.num_rows,
        "rejections": rejections.num_rows,
        "rejections_by_reason": _count_by(rejections, "reason"),
        "records_by_mode": _count_by(records, "mode"),
    }


def _count_compile(tables: Tables) -> Numbers:
    exemplars = _read(tables, layout.EXEMPLARS)
    rejections = _read(tables, layout.ledger_path(layout.EXEMPLARS))
    unfilled = _count_templates(tables)
    return {
        "records": exemplars.num_rows + rejections.num_rows + sum(unfilled.values()),
        "exemplars": exemplars.num_rows,
        **unfilled,
        "rejections": rejections.num_rows,
        "exemplars_by_source": _count_by(exemplars, "source"),
        "rejections_by_reason": _count_by(rejections, "reason"),
        "exemplars_by_mode": _count_by(exemplars, "mode"),
    }


def _count_curate(tables: Tables) -> Numbers:
    kept = _read(tables, layout.CURATED)
    rejections = _read(tables, layout.ledger_path(layout.CURATED))
    return {
        "exemplars": kept.num_rows + rejections.num_rows,
        "kept": kept.num_rows,
        "rejected": rejections.num_rows,
        "rejections_by_reason": _count_by(rejections, "reason"),
        "rejections_by_source": _count_by(rejections, "source"),
    }


def _count_split(tables: Tables) -> Numbers:
    rows = {name: _read(tables, layout.split(name)).num_rows for name in SPLITS}
    leaked = _read(tables, layout.ledger_path(layout.MANIFEST))
    return {
        "exemplars": sum(rows.values()) + leaked.num_rows,
        **{f"rows.{name}": count for name, count in rows.items()},
        "leaked": leaked.num_rows,
        "leaked_by_source": _count_by(leaked, "source"),
        "speech_views": _count_by(_read(tables, layout.split_speech()), "split"),
    }


def _count_rendered_rows(tables: Tables) -> Numbers:
    """Count the exemplars in the prompts, each as often as it is in one."""
    rows = [_read(tables, layout.training(name)) for name in SPLITS]
    kept = sum(len(table.column("exemplar_ids").combine_chunks().flatten()) for table in rows)
    rejected = _read(tables, layout.ledger_path(layout.TRAINING_BASE)).num_rows
    prompts = sum(table.num_rows for table in rows)
    return {"rows_in": kept + rejected, "kept": kept, "rejected": rejected, "prompts": prompts}


def _count_render(tables: Tables) -> Numbers:
    rows = {name: _read(tables, layout.training(name)) for name in SPLITS}
    rejections = _read(tables, layout.ledger_path(layout.TRAINING_BASE))
    return {
        "exemplars": _count_rendered_rows(tables)["rows_in"],
        "prompts": sum(table.num_rows for table in rows.values()),
        "rejected": rejections.num_rows,
        "rejections_by_source": _count_by(rejections, "source"),
        **{f"splits.{name}.rows": table.num_rows for name, table in rows.items()},
        **{f"splits.{name}.rows_by_view": _count_by(table, "view") for name, table in rows.items()},
        **_count_preferences(tables),
    }


def _count_preferences(tables: Tables) -> Numbers:
    """Count the preferences; nothing if an earlier version of `render` wrote no tables of them."""
    if layout.PREFERENCE_REJECTIONS not in tables.paths:
        return {}
    train, validation = (_read(tables, layout.preferences(name)) for name in ("train", "validation"))
    rejections = _read(tables, layout.PREFERENCE_REJECTIONS)
    return {
        "preferences.read": train.num_rows + validation.num_rows + rejections.num_rows,
        "preferences.rows": train.num_rows,
        "preferences.validation": validation.num_rows,
        "preferences.rejections": rejections.num_rows,
        "preferences.rejections_by_reason": _count_by(rejections, "reason"),
    }


def _count_evaluate(tables: Tables) -> Numbers:
    predicted = set(_read(tables, layout.PREDICTIONS).column("id").to_pylist())
    test = _read(tables, layout.training("test"))
    is_speech = dict(zip(test.column("id").to_pylist(), test.column("speech").to_pylist(), strict=True))
    views = sum(bool(is_speech.get(row_id)) for row_id in predicted)
    return {"rows": len(predicted) - views, "speech_views": views}
