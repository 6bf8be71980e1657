"""The rows of the raw files that tombstones match, with what the raw files say there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.audit.erasure.redaction import redact_skills
from exemplars.audit.erasure.source_copies import NO_COPIES, Copies, use_copies
from exemplars.core.ids import split_locator
from exemplars.core.json_pointers import split_pointer
from exemplars.core.layout import join_path
from exemplars.core.records import REDACTED, Origin, Reason
from stages.ingest.params import (
    AnySource,
    ChatSource,
    GeneratedSource,
    IngestParams,
    InstructSource,
    NluSource,
    OpencuiSource,
    SgdSource,
    SkillsSource,
)
from stages.ingest.sources import DIALOGUES, read_source
from stages.ingest.tombstone_matching import Matches, make_text_matcher, match_rows
from stages.ingest.tombstones import Erasures, Tombstone


class ErasedRow(NamedTuple):
    """A row that a tombstone matches."""

    id: str
    source: str
    file: str
    """The raw file, relative to the project's root, or its URL."""
    locator: str
    tombstone: Tombstone | None
    text: str | None
    """The utterance in the raw file; `None` if it is redacted already, or if the record cannot be read."""
    raw_texts: tuple[str, ...] = ()
    """What the raw file says there, if the record cannot be read."""
    origin: Origin | None = None
    """The row's origin, if it is not redacted."""

    @property
    def is_in_raw_file(self) -> bool:
        """Whether the raw file still says it."""
        return self.text is not None or bool(self.raw_texts)


class MatchedRows(NamedTuple):
    """The rows of all sources that tombstones match, and the texts of the others."""

    rows: list[ErasedRow]
    kept: set[str]
    """The utterances, context and values of the rows that no tombstone matches."""
    whole_sources: list[tuple[str, str]]
    """Tombstone and source, if a tombstone matches all rows of a source."""
    kept_ids: set[str]
    groups: set[str]
    """The dialogues that are erased as a whole."""
    declared: set[str]
    """The values that catalogs and recognizers declare: nobody said them."""
    copies: Copies = NO_COPIES
    """The copies of the sources at URLs in which they were found."""


def find_erased_rows(
    params: IngestParams, erasures: Erasures, workers: int, copies: Copies = NO_COPIES
) -> MatchedRows:
    """Read all sources, and find the rows that tombstones match. Raises `UserError` if a source is unreadable.

    copies: of the sources at URLs.
    """
    found = MatchedRows([], set(), [], set(), set(), set(), copies)
    local = use_copies(params, copies)
    for name, source in params.sources.items():
        tables = read_source(name, local, workers)
        folder = local.sources[name].path
        both = (tables.records, tables.rejections)
        matches = match_rows(both, erasures, isinstance(source, DIALOGUES))
        matches.update(_match_unreadable(tables.rejections, source, folder, matches, erasures))
        for table in both:
            _add_rows(found, table, name, source, folder, matches)
        found.declared.update(
            _list_declared(tables.skills, None if isinstance(source, SgdSource) else tables.recognizers)
        )
        total = sum(table.num_rows for table in both)
        counts = Counter(tombstone.id for tombstone in matches.values() if tombstone)
        found.whole_sources.extend((tombstone, name) for tombstone, count in counts.items() if count == total)
    return found


def list_strings(node: Any) -> Iterator[str]:
    """List all strings of a JSON document, with the keys of its objects.

    >>> list(list_strings({"a": ["b", 1]}))
    ['a', 'b']
    """
    nodes = [node]
    while nodes:
        match nodes.pop():
            case str() as text:
                yield text
            case dict() as members:
                yield from members
                nodes.extend(reversed(members.values()))
            case list() as items:
                nodes.extend(reversed(items))


def _add_rows(
    found: MatchedRows,
    table: pa.Table,
    name: str,
    source: AnySource,
    folder: str,
    matches: Mapping[str, Tombstone | None],
) -> None:
    """Divide the rows of a table into those that are matched and those that are kept.

    folder: has the source's files.
    """
    is_ledger = "reason" in table.column_names
    for row in table.to_pylist():
        if row["id"] not in matches:
            found.kept_ids.add(row["id"])
            found.kept.update(_list_texts(row))
            continue
        path = row["origin"]["path"]
        utterance, locator = row["utterance"], row["origin"]["locator"]
        is_redacted = utterance == REDACTED or (is_ledger and row["reason"] == Reason.ERASED)
        is_unread = utterance is None and not is_redacted
        raw_texts = _read_raw_texts(join_path(folder, path), source, locator) if is_unread else ()
        text = None if is_redacted else utterance
        origin = None if is_redacted else Origin(**row["origin"])
        tombstone = matches[row["id"]]
        file = join_path(source.path, path)
        found.rows.append(ErasedRow(row["id"], name, file, locator, tombstone, text, raw_texts, origin))
        if isinstance(source, DIALOGUES):
            found.groups.add(row["group"])


def _list_texts(row: Mapping[str, Any]) -> Iterator[str]:
    """List what a kept row says: its utterance, its reply, its context and its values."""
    yield from filter(None, (row["utterance"], row.get("reply")))
    for turn in row.get("context") or ():
        yield turn["utterance"]
    for argument in row.get("arguments") or ():
        yield from (argument["value"], *argument["spoken"], *argument["accepted"])


def _match_unreadable(
    ledger: pa.Table, source: AnySource, folder: str, matches: Matches, erasures: Erasures
) -> Iterator[tuple[str, Tombstone]]:
    """Find records that cannot be read and whose raw text a pattern or value matches: messages cut what they quote."""
    if not any(tombstone.rule in ("pattern", "value") for tombstone in erasures.tombstones):
        return
    match_text: Callable[[str], Tombstone | None] = make_text_matcher(erasures)
    for row in ledger.select(["id", "utterance", "reason", "origin"]).to_pylist():
        if row["utterance"] is None and row["reason"] != Reason.ERASED and row["id"] not in matches:
            file = join_path(folder, row["origin"]["path"])
            texts = _read_raw_texts(file, source, row["origin"]["locator"])
            if tombstone := next(filter(None, map(match_text, texts)), None):
                yield row["id"], tombstone


def _read_raw_texts(file: str, source: AnySource, locator: str) -> tuple[str, ...]:
    """Read what a raw file says at a place; nothing if the place, or the file, cannot be read."""
    if not locator:
        return ()
    try:
        match source:
            case SkillsSource():
                data = Path(file).read_bytes()
                lines = zip(data.split(b"\n"), redact_skills(data, [locator]).split(b"\n"), strict=True)
                return tuple(line.decode() for line, redacted in lines if line != redacted)
            case SgdSource():
                return tuple(list_strings(_read_document(file)[int(locator.split("/")[1])]))
            case ChatSource() | InstructSource():
                return tuple(list_strings(_read_row(file, locator)))
            case GeneratedSource():
                answer = _read_row(file, locator)
                return (answer,) if isinstance(answer, str) else _list_said(answer)
            case OpencuiSource() | NluSource() if locator.startswith("/"):
                return tuple(list_strings(_follow_pointer(_read_document(file), locator)))
        return (_read_lines(file)[(split_locator(locator)[0] or 0) - 1].decode(),)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ()


def _read_row(file: str, locator: str) -> Any:
    """Read the row of a file of rows that a locator is in: the whole conversation, of which parts repeat others."""
    line, pointer = split_locator(locator)
    if line is None:
        index = int(pointer.split("/")[1])
        return (_read_table(file) if file.casefold().endswith(".parquet") else _read_document(file))[index]
    text = _read_lines(file)[line - 1].decode()
    try:
        return json.loads(text)
    except ValueError:
        return text


def _list_said(answer: Any) -> tuple[str, ...]:
    """List what the model said in a generated answer; the rest of the line is what it was asked."""
    return tuple(filter(None, (answer.get("answer"), answer.get("refusal"))))


@lru_cache(maxsize=1)
def _read_table(file: str) -> list[Any]:
    rows: list[Any] = pq.read_table(file).to_pylist()
    return rows


@lru_cache(maxsize=2)
def _read_lines(file: str) -> list[bytes]:
    return Path(file).read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")


@lru_cache(maxsize=2)
def _read_document(file: str) -> Any:
    return json.loads(Path(file).read_bytes().decode("utf-8-sig"))


def _follow_pointer(node: Any, pointer: str) -> Any:
    for key in split_pointer(pointer):
        node = node[int(key)] if isinstance(node, list) else node[key]
    return node


def _list_declared(skills: Any, recognizers: Any) -> Iterator[str]:
    """List the values that a catalog enumerates and that recognizers know."""
    for skill in skills:
        yield from (value for parameter in skill.parameters for value in parameter.enum)
    for recognizer in recognizers.recognizers.values() if recognizers else ():
        for instance in recognizer.instances:
            yield from (instance.label, *instance.expressions)
