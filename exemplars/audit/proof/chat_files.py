"""Rows of chat files: JSONL, a JSON list, or Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from exemplars.core.documents import decode_json
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_file
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason


class ChatRow(NamedTuple):
    """A row of a file."""

    place: str
    """Where it is: `chats.jsonl:3`, or `chats.json#/2` for a list."""
    value: Any
    """What the row holds, or a `Problem` if it cannot be decoded."""


def read_chat_file(path: Path) -> list[ChatRow]:
    """Read all rows of a file, which may hold nothing but white space in some lines.

    Raises `UserError` if the file cannot be read, or holds no row.
    """
    data = read_file(path, expected="a file of conversations")
    if path.suffix == ".parquet":
        rows = list(_read_parquet(path, data))
    elif data.lstrip()[:1] == b"[":
        rows = list(_read_list(path, data))
    else:
        rows = list(_read_lines(path, data))
    if not rows:
        problem = Diagnostic(
            path=str(path),
            code="no_rows",
            found="no row",
            expected="conversations, one a line or in a list",
            fix="name a file with rows",
        )
        raise UserError([problem])
    return rows


def _read_lines(path: Path, data: bytes) -> Iterator[ChatRow]:
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield ChatRow(f"{path}:{number}", decode_json(line))
        except msgspec.DecodeError as error:
            problem = Problem(Reason.MALFORMED_RECORD, f"a line that is not JSON ({error})", "an object")
            yield ChatRow(f"{path}:{number}", problem)


def _read_list(path: Path, data: bytes) -> Iterator[ChatRow]:
    try:
        rows = decode_json(data)
    except msgspec.DecodeError as error:
        raise UserError([_cannot_decode(path, f"a list that is not JSON ({error})")]) from None
    for index, row in enumerate(rows):
        yield ChatRow(f"{path}#/{index}", row)


def _read_parquet(path: Path, data: bytes) -> Iterator[ChatRow]:
    import polars as pl

    try:
        table = pl.read_parquet(data)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError([_cannot_decode(path, f"a table that cannot be read ({reason})")]) from None
    for index, row in enumerate(table.iter_rows(named=True)):
        yield ChatRow(f"{path}#/{index}", row)


def _cannot_decode(path: Path, found: str) -> Diagnostic:
    fix = "write the file again"
    return Diagnostic(path=str(path), code="unreadable_file", found=found, expected="rows", fix=fix)
