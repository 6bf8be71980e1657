"""Which rows a set of tombstones matches, and which other rows these take with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core.records import REDACTED, Reason
from exemplars.dataset.texts import normalize_text
from stages.ingest.tombstones import Erasures, Tombstone, hash_with_key, require_key

MAX_VALUE_WORDS: Final = 6
"""The longest value, in words, that is found by its keyed hash."""

Matches = dict[str, Tombstone | None]
"""The first tombstone that matches a row, by row id; `None`: the row is redacted, and no tombstone names it."""


def match_rows(tables: Sequence[pa.Table], erasures: Erasures, whole_groups: bool) -> Matches:
    """Find the rows that tombstones match, and the rows that these take with them.

    tables: the records and the ledger of one source. whole_groups: a row takes its whole group with it, since
    the later states of a dialogue repeat its values; otherwise it takes the rows whose context quotes it.
    Raises `UserError` if a key is needed and not set.
    """
    if not erasures.tombstones:
        return {}
    matches: Matches = {}
    for table in tables:
        matches.update(_match_directly(table, erasures))
    for table in tables:
        matches.update(_match_related(table, matches, whole_groups))
    return matches


def make_text_matcher(erasures: Erasures) -> Callable[[str], Tombstone | None]:
    """Make a function from a text to the first tombstone that matches it, by pattern or value.

    Raises `UserError` if a key is needed and not set.
    """
    patterns = [
        (re.compile(tombstone.pattern), tombstone)
        for tombstone in erasures.tombstones
        if tombstone.pattern is not None
    ]
    values = {tombstone.value: tombstone for tombstone in erasures.tombstones if tombstone.value is not None}
    key = require_key(erasures) if values else b""

    def match_text(text: str) -> Tombstone | None:
        for pattern, tombstone in patterns:
            if pattern.search(text):
                return tombstone
        if values:
            words = normalize_text(text).split()
            for start in range(len(words)):
                for end in range(start + 1, min(len(words), start + MAX_VALUE_WORDS) + 1):
                    if match := values.get(hash_with_key(" ".join(words[start:end]), key)):
                        return match
        return None

    return match_text


def hash_utterance(
    row_id: str, utterance: str | None, tombstone: Tombstone | None, erasures: Erasures
) -> str:
    """Compute the keyed hash of a row's utterance; if it was redacted, return what its tombstone remembers."""
    if utterance is None or utterance == REDACTED:
        return tombstone.redacted.get(row_id, "unknown") if tombstone else "unknown"
    return hash_with_key(utterance, require_key(erasures))


def mask_rows(ids: Collection[str], table: pa.Table) -> Any:
    """Build a mask of the rows whose id is among `ids`."""
    return pc.is_in(table.column("id"), pa.array(list(ids), pa.string()))


def _match_directly(table: pa.Table, erasures: Erasures) -> Matches:
    """Find the rows that a tombstone matches by itself."""
    matches = _match_redacted(table, erasures)
    ids, groups = table.column("id").to_pylist(), table.column("group").to_pylist()
    for tombstone in erasures.tombstones:
        for row_id in _match_place(tombstone, ids, groups):
            matches[row_id] = matches.get(row_id) or tombstone
    if any(tombstone.rule in ("value", "pattern") for tombstone in erasures.tombstones):
        match_text = make_text_matcher(erasures)
        for texts, rows in _flatten_texts(table):
            hits = {text: hit for text in pc.unique(texts).to_pylist() if text and (hit := match_text(text))}
            if hits:
                mask = pc.is_in(texts, pa.array(list(hits), pa.string()))
                matched = zip(rows.filter(mask).to_pylist(), texts.filter(mask).to_pylist(), strict=True)
                for row, text in matched:
                    matches[ids[row]] = matches.get(ids[row]) or hits[text]
    return matches


def _match_redacted(table: pa.Table, erasures: Erasures) -> Matches:
    """Find the rows whose text is gone from the raw file already."""
    remembered = {row_id: tombstone for tombstone in erasures.tombstones for row_id in tombstone.redacted}
    redacted = pc.fill_null(pc.equal(table.column("utterance"), REDACTED), False)
    if "reason" in table.column_names:
        redacted = pc.or_(redacted, pc.equal(table.column("reason"), Reason.ERASED.value))
    return {row_id: remembered.get(row_id) for row_id in table.column("id").filter(redacted).to_pylist()}


def _match_place(tombstone: Tombstone, ids: Sequence[str], groups: Sequence[str]) -> Iterator[str]:
    """Find the rows of a tombstone's dialogue or place, by id."""
    if tombstone.dialogue is not None:
        ends = (f":{tombstone.dialogue}", f"/{tombstone.dialogue}")
        for row_id, group in zip(ids, groups, strict=True):
            if group == tombstone.dialogue or group.endswith(ends):
                yield row_id
    # Once redacted, the lines that a place names may have moved.
    elif tombstone.place is not None and not tombstone.redacted:
        starts = (f"{tombstone.place}/", f"{tombstone.place}#")
        for row_id in ids:
            if row_id == tombstone.place or row_id.startswith(starts):
                yield row_id


def _match_related(table: pa.Table, matches: Matches, whole_groups: bool) -> Matches:
    """Find the rows of a table that its matched rows take with them."""
    by_group: Matches = {}
    by_text: dict[tuple[str, str], Tombstone | None] = {}
    for row_id, group, text in _read_columns(table, "id", "group", "utterance"):
        if row_id in matches:
            by_group.setdefault(group, matches[row_id])
            if text:
                by_text.setdefault((group, text), matches[row_id])
    contexts = table.column("context") if "context" in table.column_names else None
    related: Matches = {}
    for row, (row_id, group) in enumerate(_read_columns(table, "id", "group")):
        if row_id in matches or group not in by_group:
            continue
        if whole_groups:
            related[row_id] = by_group[group]
        elif contexts is not None:
            quoted = [(group, turn["utterance"]) for turn in contexts[row].as_py()]
            erased = next((key for key in quoted if key in by_text), None)
            if erased is not None:
                related[row_id] = by_text[erased]
    return related


def _read_columns(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table.column(name).to_pylist() for name in names), strict=True)


def _flatten_texts(table: pa.Table) -> Iterator[tuple[Any, Any]]:
    """Yield all texts of a table's rows, column by column, with the number of the row that each belongs to."""
    numbers = pa.array(range(table.num_rows), pa.int64())
    for name in ("utterance", "message"):
        if name in table.column_names:
            yield _combine_column(table, name), numbers
    if "context" in table.column_names:
        context = _combine_column(table, "context")
        yield pc.struct_field(pc.list_flatten(context), "utterance"), pc.list_parent_indices(context)
    if "arguments" in table.column_names:
        arguments = _combine_column(table, "arguments")
        rows, items = pc.list_parent_indices(arguments), pc.list_flatten(arguments)
        yield pc.struct_field(items, "value"), rows
        spoken = pc.struct_field(items, "spoken")
        yield pc.list_flatten(spoken), rows.take(pc.list_parent_indices(spoken))


def _combine_column(table: pa.Table, name: str) -> Any:
    return table.column(name).combine_chunks()
