"""Files of rows that other tools wrote: JSON lines, a JSON array, or Parquet."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core.documents import RepeatedKeyError, decode_json
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.files import MAX_RECORD_BYTES
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.ingest.reading import (
    decode_text,
    describe_json_error,
    describe_repeated_key,
    find_oversize,
    lower_first,
)

PARQUET_MAGIC: Final = b"PAR1"
_ROWS_A_BATCH: Final = 1024
_BYTE: Final = re.compile(r"\(byte (\d+)\)")
_BEGIN: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*")
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},]', re.DOTALL)
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_FIX: Final = "correct the row, or remove it"

Content = bytes | mmap.mmap
"""The bytes of a file; of a large one, only those that are looked at are read."""


class FileRow(NamedTuple):
    """A row of a file."""

    locator: str
    """A line number, from 1; in a JSON array and in Parquet, a JSON Pointer such as `/17`, which counts from 0."""
    content: Any | Problem
    """The row as Python values; or why it cannot be decoded."""

    def locate(self, part: str) -> str:
        """Locate a part of the row. part: its JSON Pointer within the row; empty: the row itself.

        >>> FileRow("18", {}).locate("/history/0"), FileRow("/17", {}).locate("/history/0")
        ('18/history/0', '/17/history/0')
        """
        return f"{self.locator}{part}"


def read_rows(path: str, data: Content) -> Iterator[FileRow]:
    """Read the rows of a file one by one; a row that cannot be decoded does not hide the others.

    path: for messages. Only the row at hand is in memory, or a batch of rows of Parquet.
    Raises `UserError` if the file is empty, cannot be decoded at all, or has no row.
    """
    if data[: len(PARQUET_MAGIC)] == PARQUET_MAGIC:
        yield from _read_parquet(path, data)
        return
    begin = _BEGIN.match(data)
    start = begin.end() if begin else 0
    if start == len(data) or data[:2] in _UTF_16:
        decode_text(path, data[:start] or data[:2])
        return
    if data[start : start + 1] == b"[":
        yield from _read_array(path, data, start)
    else:
        yield from _read_lines(path, data)


def _read_lines(path: str, data: Content) -> Iterator[FileRow]:
    start, number = 3 if data[:3] == b"\xef\xbb\xbf" else 0, 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        number += 1
        line = data[start:end]
        start = end + 1
        if line.strip():
            content = _decode_row(line, f"{path}:{number}")
            if number == 1 and isinstance(content, Problem) and _is_object(data):
                raise UserError([_report_object(path)])
            yield FileRow(str(number), content)


def _is_object(data: Content) -> bool:
    """Return whether a file is one object over several lines: no line of it is a row."""
    try:
        msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (RecursionError, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _read_array(path: str, data: Content, start: int) -> Iterator[FileRow]:
    try:
        rows = msgspec.json.decode(memoryview(data)[start:], type=list[msgspec.Raw])
    except RecursionError:
        fault = msgspec.DecodeError("JSON that is nested too deeply")
        raise UserError([describe_json_error(path, bytes(data), fault, "a JSON array")]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fault = error if isinstance(error, msgspec.DecodeError) else msgspec.DecodeError(str(error))
        yield from _read_damaged_array(path, data, start, fault)
        return
    if not rows:
        raise UserError([_report_empty(path, "an empty array")])
    for index, raw in enumerate(rows):
        yield FileRow(f"/{index}", _decode_row(bytes(raw), ""))


def _read_damaged_array(
    path: str, data: Content, start: int, error: msgspec.DecodeError
) -> Iterator[FileRow]:
    """Read the items of an array that is not JSON, up to where it is cut off."""
    index = depth = 0
    begin = start + 1
    for token in _TOKEN.finditer(data, start):
        sign = token[0]
        depth += (sign in b"[{") - (sign in b"]}")
        if depth == 0 or (depth == 1 and sign == b","):
            yield FileRow(f"/{index}", _decode_row(data[begin : token.start()].strip(), ""))
            index, begin = index + 1, token.end()
        if depth == 0:
            break
    if data[begin:].strip():
        problem = describe_json_error(path, data[:], error, "a JSON array")
        place = problem.place
        yield FileRow(
            f"/{index}",
            Problem(Reason.MALFORMED_RECORD, summary=problem.summary, fix=problem.fix, place=place),
        )


def _decode_row(data: bytes, line: str) -> Any | Problem:
    """Decode a row. line: the place of a row that is a line; empty: its pointer is the only place."""
    if len(data) > MAX_RECORD_BYTES:
        return find_oversize(data.decode("utf-8", "replace"))
    try:
        return decode_json(data)
    except RepeatedKeyError as error:
        return describe_repeated_key(error, f"{line}:{error.column}" if line else "")
    except msgspec.DecodeError as error:
        byte = _BYTE.search(str(error))
        before = data[: int(byte[1])] if byte else data
        column = len(before.decode("utf-8", "ignore")) + 1
        sentence = lower_first(_BYTE.sub("", str(error)).strip())
        return Problem(
            Reason.MALFORMED_RECORD,
            fix=_FIX,
            summary=f"{sentence} in {quote_text(data.decode('utf-8', 'replace'))}",
            place=f"{line}:{column}" if line else "",
        )


def _read_parquet(path: str, data: Content) -> Iterator[FileRow]:
    try:
        file = pq.ParquetFile(pa.BufferReader(pa.py_buffer(data)))
        if not file.metadata.num_rows:
            raise UserError([_report_empty(path, "a table without rows")])
        start = 0
        for batch in file.iter_batches(batch_size=_ROWS_A_BATCH):
            for index, content in enumerate(batch.to_pylist(), start):
                yield FileRow(f"/{index}", content)
            start += batch.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:  # A column of text that is not UTF-8 included.
        problem = Diagnostic(
            path=path,
            code="unreadable_parquet",
            found=" ".join(str(error).split())[:160],
            expected="a Parquet file",
            fix="fetch or write the file again: it is cut short or damaged",
        )
        raise UserError([problem]) from None


def _report_empty(path: str, found: str) -> Diagnostic:
    return Diagnostic(
        path=path,
        code="empty_file",
        found=found,
        expected="at least one record",
        fix="delete the file, or fill it",
    )


def _report_object(path: str) -> Diagnostic:
    return Diagnostic(
        path=path,
        code="wrong_shape",
        found="one object over several lines",
        expected="rows, one a line or in a JSON array",
        fix="write the list of its rows alone",
    )
