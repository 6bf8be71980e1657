"""Files of rows that other tools wrote: JSON lines, a JSON array, or Parquet."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core.documents import RepeatedKeyError, decode_json, decode_with
from exemplars.core.errors import Diagnostic, UserError, quote_text
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
_FIX: Final = "correct the row, or remove it"


class FileRow(NamedTuple):
    """A row of a file."""

    locator: str
    """A line number, from 1; in a JSON array and in Parquet, a JSON Pointer such as `/17`."""
    pointer: str
    """The same row as a JSON Pointer, whose index counts from 0."""
    content: Any | Problem
    """The row as Python values; or why it cannot be decoded."""

    def locate(self, part: str) -> str:
        """Locate a part of the row. part: its JSON Pointer within the row; empty: the row itself.

        >>> row = FileRow("18", "/17", {"history": []})
        >>> row.locate(""), row.locate("/history/0")
        ('18', '/17/history/0')
        """
        return f"{self.pointer}{part}" if part else self.locator


def read_rows(path: str, data: bytes) -> Iterator[FileRow]:
    """Read the rows of a file one by one; a row that cannot be decoded does not hide the others.

    path: for messages. Raises `UserError` if the file is empty, cannot be decoded at all, or has no row.
    """
    if data.startswith(PARQUET_MAGIC):
        yield from _read_parquet(path, data)
        return
    text = decode_text(path, data)
    if text.lstrip().startswith("["):
        yield from _read_array(path, text)
    else:
        yield from _read_lines(path, text)


def _read_lines(path: str, text: str) -> Iterator[FileRow]:
    for index, line in enumerate(text.split("\n")):
        if line.strip():
            content = _decode_row(line, f"{path}:{index + 1}")
            yield FileRow(str(index + 1), f"/{index}", content)


def _read_array(path: str, text: str) -> Iterator[FileRow]:
    data = text.encode()
    try:
        rows = decode_with(_decode_raw_rows, data, allow_repeated_keys=True)
    except msgspec.DecodeError as error:
        raise UserError([describe_json_error(path, data, error, "a JSON array")]) from None
    if not rows:
        raise UserError([_report_empty(path, "an empty array")])
    for index, raw in enumerate(rows):
        yield FileRow(f"/{index}", f"/{index}", _decode_row(bytes(raw).decode(), ""))


_decode_raw_rows: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _decode_row(text: str, line: str) -> Any | Problem:
    """Decode a row. line: the place of a row that is a line; empty: its pointer is the only place."""
    oversize = find_oversize(text)
    if oversize is not None:
        return oversize
    try:
        return decode_json(text)
    except RepeatedKeyError as error:
        return describe_repeated_key(error, f"{line}:{error.column}" if line else "")
    except msgspec.DecodeError as error:
        byte = _BYTE.search(str(error))
        before = text.encode()[: int(byte[1])].decode("utf-8", "ignore") if byte else text
        sentence = lower_first(_BYTE.sub("", str(error)).strip())
        return Problem(
            Reason.MALFORMED_RECORD,
            fix=_FIX,
            summary=f"{sentence} in {quote_text(text)}",
            place=f"{line}:{len(before) + 1}" if line else "",
        )


def _read_parquet(path: str, data: bytes) -> Iterator[FileRow]:
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        if not file.metadata.num_rows:
            raise UserError([_report_empty(path, "a table without rows")])
        start = 0
        for batch in file.iter_batches(batch_size=_ROWS_A_BATCH):
            for index, content in enumerate(batch.to_pylist(), start):
                yield FileRow(f"/{index}", f"/{index}", content)
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
