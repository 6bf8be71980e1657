"""What the stage reads: exemplars, their near duplicates, and the texts of other people's test sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.documents import decode_json
from exemplars.core.errors import Diagnostic, UserError, suggest_name, summarize_names
from exemplars.core.files import format_path, list_folder, read_file
from exemplars.core.params import is_generated, read_source_settings
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import EXEMPLAR_SCHEMA, PAIR_SCHEMA
from stages.split.foreign_texts import ForeignText, list_user_texts
from stages.split.params import SplitParams
from stages.split.splits import SplitInputs

_SUFFIXES: Final = (".jsonl", ".json", ".parquet", ".txt")
_KEY: Final = "split.leaks.against"


class _Row(NamedTuple):
    place: str
    """In the file: a line or a JSON Pointer, with `#` before the pointer in the row."""
    value: Any


def read_inputs(params: SplitParams) -> SplitInputs:
    """Read the texts of test sets, and open the tables. Raises `UserError` if a file is missing or damaged."""
    rows, pairs = RowGroups(layout.CURATED, EXEMPLAR_SCHEMA), RowGroups(layout.PAIRS, PAIR_SCHEMA)
    foreign = read_foreign_texts(layout.AGAINST, params.leaks.against)
    generated = {name for name, source in read_source_settings().items() if is_generated(source)}
    return SplitInputs(rows, pairs, foreign, generated)


def read_foreign_texts(folder: Path, names: Sequence[str]) -> list[ForeignText]:
    """Read the texts of test sets, each in a folder of its own below `folder`.

    names: of the sets. Raises `UserError` if a set is missing, if a folder is not named, or if a file has no text.
    """
    found = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    problems = [_report_missing(folder, name, found) for name in names if name not in found]
    problems += [_report_unnamed(folder, name) for name in found if name not in names]
    texts: list[ForeignText] = []
    for name in names:
        if name in found:
            try:
                texts += _read_set(folder / name, name)
            except UserError as error:
                problems += error.diagnostics
    if problems:
        raise UserError(problems)
    return texts


def _read_set(folder: Path, name: str) -> list[ForeignText]:
    texts: list[ForeignText] = []
    problems: list[Diagnostic] = []
    for entry in list_folder(folder):
        if entry.problem is not None:
            problems.append(entry.problem)
        elif entry.path.suffix.casefold() in _SUFFIXES:
            try:
                texts += _read_texts(folder, entry.path, name)
            except UserError as error:
                problems += error.diagnostics
    if not texts and not problems:
        problems = [_report(folder, "no text", f"files with texts ({', '.join(_SUFFIXES)})")]
    if problems:
        raise UserError(problems)
    return texts


def _read_texts(folder: Path, path: Path, name: str) -> list[ForeignText]:
    file = path.relative_to(folder).as_posix()
    texts = [
        ForeignText(
            name, f"{name}/{file}{row.place}{found.pointer}".removesuffix("#"), found.text, found.column
        )
        for row in _read_rows(path)
        for found in list_user_texts(row.value)
        if found.text.strip()
    ]
    if not texts:
        raise UserError([_report(path, "no text", "rows with what users say")])
    return texts


def _read_rows(path: Path) -> Iterator[_Row]:
    """Yield the rows of a file."""
    data = read_file(path, expected="a file of a test set")
    suffix = path.suffix.casefold()
    if suffix == ".parquet":
        yield from _read_parquet(path, data)
        return
    try:
        if suffix == ".txt":
            for number, line in enumerate(data.decode("utf-8-sig").splitlines(), start=1):
                yield _Row(f":{number}#", line)
        elif suffix == ".jsonl" or (data.lstrip()[:1] == b"{" and len(data.split(b"\n", 2)) > 1):
            yield from _read_json_lines(data)
        else:
            document = decode_json(data)
            rows = document if isinstance(document, list) else [document]
            for index, row in enumerate(rows):
                yield _Row(f"#/{index}", row)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UserError(
            [_report(path, f"what cannot be decoded ({error})", "UTF-8, and JSON if it is JSON")]
        ) from None


def _read_json_lines(data: bytes) -> Iterator[_Row]:
    """Yield the rows of JSONL; of a file that is one JSON document over several lines, the document."""
    lines = data.split(b"\n")
    try:
        rows = [
            _Row(f":{number}#", decode_json(line))
            for number, line in enumerate(lines, start=1)
            if line.strip()
        ]
    except msgspec.DecodeError:
        rows = [_Row("#", decode_json(data))]
    yield from rows


def _read_parquet(path: Path, data: bytes) -> Iterator[_Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError):
        raise UserError([_report(path, "no Parquet", "a table of rows")]) from None
    for index, row in enumerate(table.to_pylist()):
        yield _Row(f"#/{index}", row)


def _report_missing(folder: Path, name: str, found: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        path="params.yaml",
        code="unknown_set",
        found=f"{_KEY} with {name!r}, which is no folder below {format_path(folder)}",
        expected=summarize_names(found) or "a folder with the test set",
        fix=suggest_name(name, found) or "put the set there, or remove its name",
    )


def _report_unnamed(folder: Path, name: str) -> Diagnostic:
    return Diagnostic(
        path=format_path(folder / name),
        code="unnamed_set",
        found="a test set that no parameter names",
        expected=f"{name} in {_KEY} (params.yaml)",
        fix="name it there, or move the folder away",
    )


def _report(path: Path, found: str, expected: str) -> Diagnostic:
    fix = "correct the file, or move it away"
    return Diagnostic(path=format_path(path), code="bad_test_set", found=found, expected=expected, fix=fix)
