"""Search files for erased rows: for rows that were derived from them, for their raw files, and for their texts.

A text is found in whatever form a file may have it: plain, escaped, in the columns of a compressed table.
"""

from __future__ import annotations

import gzip
import html
import io
import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from exemplars.audit.erasure.identity import ID_COLUMNS, LISTED_IDS, RowIdentity, find_derived_rows
from exemplars.audit.erasure.matched_rows import list_strings
from exemplars.core.digests import hash_content

MIN_LENGTH: Final = 12
"""Shorter texts, in code points, are searched in their own rows only: elsewhere they may occur by chance."""
_PARQUET: Final = b"PAR1"
_GZIP: Final = b"\x1f\x8b"
_MAX_DOCUMENT: Final = 64 << 20
"""Larger files are no documents: they are searched for whole texts only."""
_LINE_HEAD: Final = re.compile(r"[\s#]*\w*\s*:\s*")
_NORMALIZED_COLUMNS: Final = ("first", "second")
"""Of the table of near duplicates, which has no ids: normalized utterances and templates."""


class SearchTerms(NamedTuple):
    """What to search for."""

    texts: frozenset[str]
    """Texts that are in no kept row and are long enough: wherever one occurs, it is a hit."""
    rows: dict[str, str]
    """The utterance of each erased row, by id: a hit if a table has both in one row."""
    identity: RowIdentity = RowIdentity()
    """A hit if a row of a table was derived from one of the erased rows."""
    raw_files: frozenset[str] = frozenset()
    """The SHA-256 of files that held an erased row: a hit if a file is one of them."""
    strings: frozenset[str] = frozenset()
    """Shorter texts and values that no kept row has: a hit as a whole string of a document."""
    folded: frozenset[str] = frozenset()
    """Utterances and templates by `fold_text`: a hit as a cell of the table of near duplicates."""
    forms: Mapping[str, int] = {}
    """How many different texts of each form are searched."""
    unsearched: int = 0
    """How many texts are too short or too common to be searched outside their own rows."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to search for."""
        return not (self.texts or self.rows or self.identity.ids or self.raw_files or self.strings)


def choose_search_terms(rows: dict[str, str], kept: Collection[str]) -> SearchTerms:
    """Choose what to search for, of rows of which nothing is known but their utterances.

    rows: the utterances of the erased rows, by id. kept: the utterances and context of all other rows.
    """
    texts = frozenset(text for text in rows.values() if len(text) >= MIN_LENGTH) - frozenset(kept)
    return SearchTerms(texts, rows, unsearched=len(set(rows.values()) - texts))


class Matcher:
    """Checks the content of files for the terms, and counts what it has read."""

    def __init__(self, terms: SearchTerms) -> None:
        """terms: what to search for."""
        self._terms = terms
        forms = {form for text in terms.texts for form in _write_forms(text)}
        self._forms = sorted(form.decode("utf-8", "replace") for form in forms)
        self._bytes = sorted(form for text in terms.texts for form in [text.encode("utf-8", "replace")])
        self._raw_files = terms.raw_files | terms.identity.raw_files
        self.tables = 0
        self.documents = 0
        self.columns: set[str] = set()
        """The columns, and the fields of nested ones, whose texts were read."""

    def __call__(self, data: bytes) -> bool:
        """Check the content of a file."""
        if self._raw_files and hash_content(data) in self._raw_files:
            return True
        table = parse_table(data)
        if table is not None:
            self.tables += 1
            return self._match_table(table)
        self.documents += 1
        plain = _decompress(data)
        if b"\0" in plain[:4096] or len(plain) > _MAX_DOCUMENT:
            return any(text in plain for text in self._bytes)
        return self._contains_form([plain.decode("utf-8", "replace")]) or self._has_string(plain)

    def _match_table(self, table: pa.Table) -> bool:
        if pc.any(find_derived_rows(table, self._terms.identity)).as_py():
            return True
        rows = self._terms.rows
        if any(rows.get(row_id) == utterance for row_id, utterance in list_utterances(table)):
            return True
        for name in _NORMALIZED_COLUMNS:
            if self._terms.folded and name in table.column_names:
                texts = _list_texts(table.column(name), name, self.columns)
                if any(fold_text(text) in self._terms.folded for text in texts):
                    return True
        return any(
            self._contains_form(list(_list_texts(table.column(name), name, self.columns)))
            for name in table.column_names
        )

    def _contains_form(self, texts: Collection[str]) -> bool:
        if not self._forms or not texts:
            return False
        series = pl.Series(texts, dtype=pl.String)
        return bool(series.str.contains_any(self._forms).any())

    def _has_string(self, data: bytes) -> bool:
        return bool(self._terms.strings) and not self._terms.strings.isdisjoint(list_document_strings(data))


def make_matcher(terms: SearchTerms) -> Matcher:
    """Make a function that checks the content of a file for the terms.

    >>> make_matcher(choose_search_terms({"s:f#1": "ring Augusta at nine"}, ()))(b'say "ring Augusta at nine"')
    True
    """
    return Matcher(terms)


def is_parquet(data: bytes) -> bool:
    """Check whether a file begins as Parquet files do."""
    return data[:4] == _PARQUET


def parse_table(data: bytes, columns: Collection[str] | None = None) -> pa.Table | None:
    """Parse a Parquet file; `None` if the data is anything else, or damaged.

    columns: the columns to read, of those that there are; `None` reads all. What the table of templates says is
    searched like an utterance, and read as the column `utterance`.
    """
    if not is_parquet(data):
        return None
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        names = file.schema_arrow.names
        renamed = {} if "utterance" in names else {"template": "utterance"}
        wanted = [name for name in names if columns is None or renamed.get(name, name) in columns]
        table = file.read(wanted)
        return table.rename_columns([renamed.get(name, name) for name in wanted])
    except (pa.ArrowInvalid, OSError):
        return None


def list_utterances(table: pa.Table) -> Iterator[tuple[str, str]]:
    """List the ids of the exemplars and the utterance of each row, if the table has both columns."""
    names = table.column_names
    column = next((name for name in (LISTED_IDS, *ID_COLUMNS) if name in names), None)
    if "utterance" not in names or column is None:
        return
    ids = table.column(column).to_pylist()
    for row_ids, utterance in zip(ids, table.column("utterance").to_pylist(), strict=True):
        for row_id in row_ids if isinstance(row_ids, list) else [row_ids]:
            if isinstance(row_id, str) and isinstance(utterance, str):
                yield row_id, utterance


def list_document_strings(data: bytes) -> Iterator[str]:
    """List the strings of a text file: those of JSON, alone or line by line; otherwise its lines, without markers.

    >>> list(list_document_strings(b"### User: ring Ada"))
    ['### User: ring Ada', 'ring Ada']
    """
    plain = _decompress(data)
    if b"\0" in plain[:4096] or len(plain) > _MAX_DOCUMENT:
        return
    text = plain.decode("utf-8-sig", "replace")
    document = _parse_json(text)
    if document is not None:
        yield from list_strings(document)
        return
    for line in text.split("\n"):
        yield line
        if (item := _parse_json(line)) is not None:
            yield from list_strings(item)
        elif head := _LINE_HEAD.match(line):
            yield line[head.end() :].rstrip()


def fold_text(text: str) -> str:
    """Fold a text to its letters and digits: whatever normalized it, the result is the same.

    >>> fold_text("Ring <contact>, PLEASE!")
    'ringcontactplease'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(str.isalnum, folded)) or text.strip()


def _parse_json(text: str) -> Any:
    if text[:1] not in ("{", "[") and not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _decompress(data: bytes) -> bytes:
    if data[:2] != _GZIP:
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError):
        return data


def _write_forms(text: str) -> Iterable[bytes]:
    """Write a text in every form that a file may have it: plain, in JSON, in HTML, in scripts of HTML."""
    forms = {text, *(json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))}
    forms |= {form.replace("<", "\\u003c") for form in tuple(forms)}
    forms |= {html.escape(form, quote=quote) for form in tuple(forms) for quote in (True, False)}
    forms |= {form.replace("&#x27;", "&#39;").replace("&quot;", "&#34;") for form in tuple(forms)}
    return (form.encode("utf-8", "surrogatepass") for form in forms)


def _list_texts(column: Any, name: str, columns: set[str]) -> Iterator[str]:
    """List the distinct texts of a column, at any depth of nesting. columns: collects the names of the fields."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_struct(array.type):
        for field, values in zip(array.type, array.flatten(), strict=True):
            yield from _list_texts(values, f"{name}.{field.name}", columns)
    elif pa.types.is_list(array.type):
        yield from _list_texts(array.flatten(), name, columns)
    elif pa.types.is_string(array.type):
        columns.add(name)
        yield from (text for text in array.unique().to_pylist() if text)
