"""One file of instruction data: its rows, each reply of them a record of the mode `none`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.ids import make_row_id
from exemplars.core.ledger import Problem, reject_row
from exemplars.core.records import Mode, Origin, Reason, Record, Rejection, Speaker, Turn
from exemplars.dataset.row_labels import find_labels
from exemplars.dataset.texts import has_text
from stages.ingest.file_listing import FileKind
from stages.ingest.instruct.dialects import (
    DIALECTS,
    Exchange,
    RowError,
    detect_dialect,
    read_exchanges,
)
from stages.ingest.labels import apply_labels, collect_skills
from stages.ingest.params import InstructDialect, InstructSource
from stages.ingest.reading import STAGE, Reading, SourceInfo, collect_rows, make_unread
from stages.ingest.row_files import FileRow, read_rows

INSTRUCT_FILES: Final = FileKind(
    ("*.jsonl", "*.json", "*.parquet"),
    "instructions with replies (*.jsonl, *.json, *.parquet)",
    rb'(?s)\A(?:\xef\xbb\xbf)?\s*[\[{].*?"(?:instruction|inputs|conversations|completion)"\s*:',
)


class _File:
    """What the rows of a file have in common."""

    def __init__(self, source: SourceInfo, path: str, sha256: str, context_turns: int) -> None:
        self.source = source
        self.context_turns = context_turns
        self._path, self._sha256 = path, sha256

    def make_origin(self, locator: str) -> Origin:
        return Origin(self._path, self._sha256, locator)

    def reject(self, locator: str, problem: Problem, text: str | None = None) -> Rejection:
        return reject_row(
            make_unread(self.source, self.make_origin(locator), utterance=text), STAGE, [problem]
        )


def parse_instruct_file(
    source: SourceInfo, path: str, data: bytes, settings: InstructSource, context_turns: int
) -> Reading:
    """Parse the rows of a file; a row that is not of the file's dialect is rejected.

    context_turns: the maximum number of earlier turns of a record.
    Raises `UserError` if the file cannot be read at all, or if its rows are of no known dialect.
    """
    rows = list(read_rows(path, data))
    dialect = _find_dialect(path, rows, settings.dialect)
    file = _File(source, path, hash_content(data), context_turns)
    reading = collect_rows(record for row in rows for record in _read_row(file, row, dialect, settings))
    return reading._replace(skills=collect_skills(row.content for row in rows))


def _find_dialect(path: str, rows: Sequence[FileRow], fixed: InstructDialect | None) -> InstructDialect:
    """Find the dialect of a file: that of its first row that has one."""
    found = next((dialect for row in rows if (dialect := detect_dialect(row.content)) is not None), None)
    if found is not None and fixed in (None, found):
        return found
    keys = next((row.content for row in rows if isinstance(row.content, dict)), {})
    shown = f"rows with the keys {summarize_names(map(str, keys), limit=6)}" if keys else "no row with keys"
    raise UserError(
        [
            Diagnostic(
                path=path,
                code="unknown_dialect" if found is None else "other_dialect",
                found=shown if found is None else f"rows of the dialect {found}",
                expected=f"the dialect {fixed}" if fixed else f"one of {', '.join(DIALECTS)}",
                fix="correct the file, or move it away"
                if found is None
                else "correct `dialect` of the source",
            )
        ]
    )


def _read_row(
    file: _File, row: FileRow, dialect: InstructDialect, settings: InstructSource
) -> Iterator[Record | Rejection]:
    if isinstance(row.content, Problem):
        yield file.reject(row.locator, row.content)
        return
    try:
        exchanges = read_exchanges(row.content, dialect, settings.system)
    except RowError as error:
        yield file.reject(row.locator, error.problem)
        return
    labels = find_labels(row.content)
    if labels is not None and exchanges:
        record = _read_exchange(file, row, exchanges[-1], exchanges[:-1])
        if isinstance(record, Rejection):
            yield record
        else:
            yield from apply_labels([record], labels, file.context_turns)
        return
    for index, exchange in enumerate(exchanges):
        if index == len(exchanges) - 1 or not settings.mask_history:
            yield _read_exchange(file, row, exchange, exchanges[:index])


def _read_exchange(
    file: _File, row: FileRow, exchange: Exchange, earlier: Sequence[Exchange]
) -> Record | Rejection:
    locator = row.locate(exchange.pointer)
    if exchange.reply is None or not has_text(exchange.reply):
        found = "no reply to the last text" if exchange.reply is None else "an empty reply"
        problem = Problem(Reason.MALFORMED_RECORD, found, "a reply", "fill it in, or remove the example")
        return file.reject(locator, problem, exchange.text)
    first = (*earlier, exchange)[0].text
    key = hashlib.sha256(first.casefold().encode("utf-8", "replace")).hexdigest()[:16]
    origin = file.make_origin(locator)
    row_id = make_row_id(file.source.name, origin)
    return Record(
        id=row_id,
        turn=row_id,
        source=file.source.name,
        utterance=exchange.text,
        mode=Mode.NONE,
        skill=None,
        service=None,
        arguments=(),
        context=_build_context(earlier, file.context_turns),
        group=file.source.make_group(key),
        license=file.source.license,
        origin=origin,
        reply=exchange.reply,
        today=file.source.today,
    )


def _build_context(earlier: Sequence[Exchange], context_turns: int) -> tuple[Turn, ...]:
    turns = [
        Turn(speaker, text)
        for exchange in earlier
        for speaker, text in ((Speaker.USER, exchange.text), (Speaker.ASSISTANT, exchange.reply or ""))
        if has_text(text)
    ]
    return tuple(turns[-context_turns:]) if context_turns else ()
