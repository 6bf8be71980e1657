"""Search files for texts: plain, escaped, or in the columns of a compressed table."""

from __future__ import annotations

import gzip
import html
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

MIN_LENGTH: Final = 12
"""Shorter texts, in code points, are searched in their own rows only: elsewhere they may occur by chance."""
_PARQUET: Final = b"PAR1"
_GZIP: Final = b"\x1f\x8b"


class SearchTerms(NamedTuple):
    """What to search for."""

    texts: frozenset[str]
    """Texts that are in no kept row and are long enough: wherever one occurs, it is a hit."""
    rows: dict[str, str]
    """The utterance of each erased row, by id: a hit if a table has both in one row."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to search for."""
        return not self.texts and not self.rows


def choose_search_terms(rows: dict[str, str], kept: Collection[str]) -> SearchTerms:
    """Choose what to search for.

    rows: the utterances of the erased rows, by id. kept: the utterances and context of all other rows.
    """
    texts = frozenset(text for text in rows.values() if len(text) >= MIN_LENGTH)
    return SearchTerms(texts - frozenset(kept), rows)


def make_matcher(terms: SearchTerms) -> Callable[[bytes], bool]:
    """Make a function that checks the content of a file for the terms.

    >>> make_matcher(choose_search_terms({"s:f#1": "ring Augusta at nine"}, ()))(b'say "ring Augusta at nine"')
    True
    """
    forms = sorted({form for text in terms.texts for form in _write_forms(text)})

    def matches(data: bytes) -> bool:
        if not is_parquet(data):
            plain = _decompress(data)
            return any(form in plain for form in forms)
        table = parse_table(data)
        if table is None:
            return any(form in data for form in forms)  # Truncated: some of it may be legible.
        if any(terms.rows.get(row_id) == utterance for row_id, utterance in list_utterances(table)):
            return True
        texts = "\0".join(text for column in table.columns for text in _list_texts(column)).encode("utf-8")
        return any(form in texts for form in forms)

    return matches


def is_parquet(data: bytes) -> bool:
    """Check whether a file begins as Parquet files do."""
    return data[:4] == _PARQUET


def parse_table(data: bytes) -> pa.Table | None:
    """Parse a Parquet file; `None` if the data is anything else, or damaged."""
    if not is_parquet(data):
        return None
    try:
        return pq.ParquetFile(io.BytesIO(data)).read()
    except (pa.ArrowInvalid, OSError):
        return None


def list_utterances(table: pa.Table) -> Iterator[tuple[str, str]]:
    """List the exemplar's id and the utterance of each row, if the table has both columns."""
    names = table.column_names
    if "utterance" not in names or not {"id", "exemplar_id"} & set(names):
        return
    ids = table.column("exemplar_id" if "exemplar_id" in names else "id").to_pylist()
    for row_id, utterance in zip(ids, table.column("utterance").to_pylist(), strict=True):
        if isinstance(row_id, str) and isinstance(utterance, str):
            yield row_id, utterance


def _decompress(data: bytes) -> bytes:
    if data[:2] != _GZIP:
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError):
        return data


def _write_forms(text: str) -> Iterable[bytes]:
    """Write a text in every form that a file may have it: plain, in JSON, in HTML."""
    forms = {text, *(json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))}
    forms |= {html.escape(form, quote=quote) for form in tuple(forms) for quote in (True, False)}
    forms |= {form.replace("&#x27;", "&#39;").replace("&quot;", "&#34;") for form in tuple(forms)}
    return (form.encode("utf-8", "surrogatepass") for form in forms)


def _list_texts(column: Any) -> Iterator[str]:
    """List the distinct texts of a column, at any depth of nesting."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_struct(array.type):
        for field in array.flatten():
            yield from _list_texts(field)
    elif pa.types.is_list(array.type):
        yield from _list_texts(array.flatten())
    elif pa.types.is_string(array.type):
        yield from (text for text in array.unique().to_pylist() if text)
