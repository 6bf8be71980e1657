"""Row conservation: every row that enters a stage is kept or rejected, once, and keeps its content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from exemplars.audit.verification.checks import Check, build_diagnostic, shorten_hash
from exemplars.audit.verification.tables import Tables
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, summarize_names
from exemplars.core.ids import SPLITS
from exemplars.models.preference_log import make_preference_id, read_preference_lines

_FIX: Final = "run `dvc repro`; if the problem persists, report it as a defect"


def check_row_conservation(
    tables: Tables, compiled_sources: Sequence[str], params: Mapping[str, Any]
) -> Check:
    """Compare the ids that entered each stage with those in its tables and ledgers.

    compiled_sources: the sources that `compile` reads. params: those that the stages ran with, by dotted key.
    """
    problems: list[Diagnostic] = []
    rows_in: dict[str, int] = {}
    for stage, (inputs, outputs) in _list_steps(compiled_sources, tables.paths).items():
        ids = {path: tables.read_ids(path) for path in (*inputs, *outputs)}
        if any(column is None for column in ids.values()):
            continue
        before = [row_id for path in inputs for row_id in ids[path] or ()]
        after = {path.as_posix(): ids[path] or () for path in outputs}
        problems += find_unconserved_rows(stage, before, after)
        rows_in[stage] = len(before)
    if (rendered := _check_render(tables, params)) is not None:
        rows_in["render"] = rendered[0]
        problems += rendered[1]
    if (preferences := _list_preferences(tables)) is not None:
        rows_in["preferences"] = len(preferences[0])
        problems += find_unconserved_rows("render", *preferences)
    surrogate = params.get("curate", {}).get("privacy", {}).get("mode") == "surrogate"
    problems += _find_changed_content(tables, surrogate)
    counted = f"{sum(rows_in.values()):,} rows in = kept + rejected, at {len(rows_in)} stages"
    return Check("conservation", counted, tuple(problems))


def _list_steps(
    compiled_sources: Sequence[str], written: Collection[Path]
) -> dict[str, tuple[list[Path], list[Path]]]:
    """List the tables that each stage reads, and those that it divides the rows among.

    written: all tables; an earlier version of `compile` wrote no templates.
    """
    records = [
        path
        for source in compiled_sources
        for path in (layout.records(source), layout.record_rejections(source))
    ]
    splits = list(map(layout.split, SPLITS))
    templates = [layout.TEMPLATES] if layout.TEMPLATES in written else []
    return {
        "compile": (records, [layout.EXEMPLARS, layout.ledger_path(layout.EXEMPLARS), *templates]),
        "curate": ([layout.EXEMPLARS], [layout.CURATED, layout.ledger_path(layout.CURATED)]),
        "split": ([layout.CURATED], [*splits, layout.ledger_path(layout.MANIFEST)]),
    }


def find_unconserved_rows(
    stage: str, before: Sequence[str], after: Mapping[str, Sequence[str]]
) -> Iterator[Diagnostic]:
    """Find the rows that a stage lost, invented or duplicated.

    before: the ids that entered the stage. after: the ids in each table that the stage wrote, by path.
    """
    entered = Counter(before)
    left = Counter(row_id for ids in after.values() for row_id in ids)
    if lost := [row_id for row_id in entered if row_id not in left]:
        found = f"{len(lost):,} of {len(before):,} rows missing: {_summarize_ids(lost)}"
        yield build_diagnostic(f"stage {stage}", "lost_rows", found, f"each in {' + '.join(after)}", _FIX)
    if invented := [row_id for row_id in left if row_id not in entered]:
        found = f"{len(invented):,} row(s) that {stage} did not read: {_summarize_ids(invented)}"
        place = _find_table(invented[0], after)
        yield build_diagnostic(place, "unknown_rows", found, "only rows that it read", _FIX)
    if repeated := [row_id for row_id, count in left.items() if count > entered.get(row_id, count)]:
        found = f"{len(repeated):,} row(s) kept or rejected more than once: {_summarize_ids(repeated)}"
        place = _find_table(repeated[0], after)
        yield build_diagnostic(place, "doubled_rows", found, "each once", _FIX)


def _find_table(row_id: str, tables: Mapping[str, Sequence[str]]) -> str:
    return next(path for path, ids in tables.items() if row_id in ids)


def _summarize_ids(ids: Collection[str]) -> str:
    return summarize_names(sorted(ids))


def _check_render(tables: Tables, params: Mapping[str, Any]) -> tuple[int, list[Diagnostic]] | None:
    """Count the rows that `render` read, and find those that it lost, invented or duplicated.

    A turn has one prompt per view (of the view `slot`, one per parameter), so the ids of its rows may be in a table
    and in the ledger; with the view `call` alone they are in one of the two. `None` if a table is unreadable.
    """
    inputs = [*map(layout.split, SPLITS), layout.split_speech()]
    outputs = [*map(layout.training, SPLITS)]
    ledger = layout.ledger_path(layout.TRAINING_BASE)
    columns = {path: tables.read_ids(path) for path in (*inputs, ledger)}
    columns |= {path: tables.read_listed(path, "exemplar_ids") for path in outputs}
    if any(column is None for column in columns.values()):
        return None
    before = [row_id for path in inputs for row_id in columns[path] or ()]
    after = {path.as_posix(): columns[path] or [] for path in (*outputs, ledger)}
    views = params.get("render", {}).get("views", ["call"])
    if views == ["call"]:
        return len(before), list(find_unconserved_rows("render", before, after))
    after = {path: sorted(set(ids)) for path, ids in after.items()}
    if not {"call", "skill"} & set(views):
        # A row without arguments has no prompt of the view `slot`, so no row counts as lost.
        before = [row_id for ids in after.values() for row_id in ids]
    problems = find_unconserved_rows("render", before, after)
    return len(before), [problem for problem in problems if problem.code != "doubled_rows"]


def _list_preferences(tables: Tables) -> tuple[list[str], dict[str, list[str]]] | None:
    """List the ids of the preferences that `render` read, and of those in each table that it wrote.

    `None` if a table is unreadable, if an earlier version of `render` wrote none, or if the file is missing.
    """
    file = tables.files / layout.RAW_PREFERENCES
    paths = (*map(layout.preferences, ("train", "validation")), layout.PREFERENCE_REJECTIONS)
    columns = {path.as_posix(): tables.read_ids(path) for path in paths}
    if any(column is None for column in columns.values()) or not file.is_file():
        return None
    lines = read_preference_lines(file.read_bytes())
    before = [make_preference_id(line.number) for line in lines if not line.is_withdrawal]
    return before, {path: column or [] for path, column in columns.items()}


def _find_changed_content(tables: Tables, surrogate: bool) -> Iterator[Diagnostic]:
    """Find rows whose content differs from that in the stage before.

    surrogate: `curate` replaced personal data, which changes contents.
    """
    if not surrogate:
        yield from _compare_digests(tables, [layout.EXEMPLARS], layout.CURATED)
    for path in map(layout.split, SPLITS):
        yield from _compare_digests(tables, [layout.CURATED], path)
    yield from _compare_digests(tables, [layout.SPEECH], layout.split_speech())
    for name in SPLITS:
        before = [layout.split(name), layout.split_speech()]
        yield from _compare_digests(tables, before, layout.training(name), ("exemplar_ids", "digests"))


def _compare_digests(
    tables: Tables, before: Sequence[Path], after: Path, columns: tuple[str, str] = ("id", "digest")
) -> Iterator[Diagnostic]:
    """Compare the digests of a table with those of the tables before.

    columns: the ids of the rows before, and their digests.
    """
    digests: dict[str, str] = {}
    for path in before:
        if (table := tables.read_keys(path)) is None:
            return
        digests |= dict(zip(table.column("id").to_pylist(), table.column("digest").to_pylist(), strict=True))
    ids, contents = (tables.read_listed(after, column) for column in columns)
    if ids is None or contents is None:
        return
    rows = zip(ids, contents, strict=True)
    changed = [row_id for row_id, digest in rows if digests.get(row_id, digest) != digest]
    if changed:
        found = f"{len(changed):,} row(s) whose content changed: {_summarize_ids(changed)}"
        expected = f"the content in {before[0].as_posix()}"
        expected += f" (of the first: digest {shorten_hash(digests[min(changed)])})"
        yield build_diagnostic(after.as_posix(), "other_content", found, expected, _FIX)
