"""Whether a file holds a text: as it is, escaped, or in the columns of a compressed table."""

from __future__ import annotations

import gzip
import html
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

SHORTEST: Final = 12
"""Shorter texts, in code points, are looked for in their own rows alone: they may stand anywhere by chance."""
_PARQUET: Final = b"PAR1"
_GZIP: Final = b"\x1f\x8b"


class Wanted(NamedTuple):
    """What is looked for."""

    texts: frozenset[str]
    """What stands in no row that is kept, and is long enough: its mere occurrence is a find."""
    rows: dict[str, str]
    """What each erased row said, by its id: a find where a table has both in one row."""

    @property
    def nothing(self) -> bool:
        """There is nothing to look for."""
        return not self.texts and not self.rows


def wanted_of(rows: dict[str, str], kept: Collection[str]) -> Wanted:
    """What to look for. rows: what the erased rows said, by id; kept: what all others say, and their context."""
    texts = frozenset(text for text in rows.values() if len(text) >= SHORTEST)
    return Wanted(texts - frozenset(kept), rows)


def finder(wanted: Wanted) -> Callable[[bytes], bool]:
    """Tells whether the content of a file holds what is wanted."""
    forms = sorted({form for text in wanted.texts for form in _forms(text)})

    def holds(data: bytes) -> bool:
        if data[:4] != _PARQUET:
            return any(form in _plain(data) for form in forms)
        try:
            table = pq.ParquetFile(io.BytesIO(data)).read()
        except (pa.ArrowInvalid, OSError):
            return any(form in data for form in forms)  # Cut short: what is readable of it counts.
        if any(wanted.rows.get(name) == said for name, said in said_rows(table)):
            return True
        texts = "\0".join(text for column in table.columns for text in _texts(column)).encode("utf-8")
        return any(form in texts for form in forms)

    return holds


def said_rows(table: pa.Table) -> Iterator[tuple[str, str]]:
    """The id of the exemplar and the utterance of each row of a table that has both."""
    names = table.column_names
    if "utterance" not in names or not {"id", "exemplar_id"} & set(names):
        return
    ids = table.column("exemplar_id" if "exemplar_id" in names else "id").to_pylist()
    for name, said in zip(ids, table.column("utterance").to_pylist(), strict=True):
        if isinstance(name, str) and isinstance(said, str):
            yield name, said


def _plain(data: bytes) -> bytes:
    if data[:2] != _GZIP:
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError):
        return data


def _forms(text: str) -> Iterable[bytes]:
    """The ways in which a text may be written: plain, in JSON, in HTML."""
    written = {text, *(json.dumps(text, ensure_ascii=only)[1:-1] for only in (True, False))}
    written |= {html.escape(one, quote=quote) for one in tuple(written) for quote in (True, False)}
    written |= {one.replace("&#x27;", "&#39;").replace("&quot;", "&#34;") for one in tuple(written)}
    return (one.encode("utf-8", "surrogatepass") for one in written)


def _texts(column: Any) -> Iterator[str]:
    """All texts of a column, however deep they stand; each once."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_struct(array.type):
        for field in array.flatten():
            yield from _texts(field)
    elif pa.types.is_list(array.type):
        yield from _texts(array.flatten())
    elif pa.types.is_string(array.type):
        yield from (text for text in array.unique().to_pylist() if text)
