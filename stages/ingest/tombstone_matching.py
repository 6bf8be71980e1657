"""Which rows a set of tombstones matches, and which other rows these take with them."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core.records import REDACTED, Reason
from exemplars.dataset.texts import make_erasure_key
from stages.ingest.patterns import LimitedPattern
from stages.ingest.tombstones import Erasures, Tombstone, compute_pin, hash_with_key, require_key

MAX_VALUE_WORDS: Final = 6
"""The longest value, in words, that is found by its keyed hash."""
MIN_QUOTE: Final = 12
"""The shortest text, in code points, whose quotation outside its own group is not taken for chance."""
_QUOTATION: Final = re.compile(r"""(?<!\w)(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(?!\w)""")
"""What `quote_text` wrote: the only part of a message that comes from the data."""

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
    matches.update(_match_moved(tables, matches, erasures))
    matches.update(_match_turns(tables, matches))
    reasons = _collect_reasons(tables, matches)
    for table in tables:
        matches.update(_match_related(table, matches, reasons, whole_groups))
    return matches


def make_text_matcher(erasures: Erasures) -> Callable[[str], Tombstone | None]:
    """Make a function from a text to the first tombstone that matches it, by pattern or value.

    Raises `UserError` if a key is needed and not set.
    """
    patterns = [
        (LimitedPattern(tombstone.pattern, f"tombstone {tombstone.id}"), tombstone)
        for tombstone in erasures.tombstones
        if tombstone.pattern is not None
    ]
    values = {tombstone.value: tombstone for tombstone in erasures.tombstones if tombstone.value is not None}
    key = require_key(erasures) if values else b""

    def match_text(text: str) -> Tombstone | None:
        for pattern, tombstone in patterns:
            if pattern.is_in(text):
                return tombstone
        if values:
            words = make_erasure_key(text).split()
            for start in range(len(words)):
                for end in range(start + 1, min(len(words), start + MAX_VALUE_WORDS) + 1):
                    if match := values.get(hash_with_key(" ".join(words[start:end]), key)):
                        return match
        return None

    return match_text


def list_quotations(message: str) -> list[str]:
    """List the texts that a ledger message quotes, as they are in the data.

    >>> list_quotations("call.md:7: found 'Ada', expected one of a, b")
    ['Ada']
    """
    return [_unquote(quotation) for quotation in _QUOTATION.findall(message)]


def _unquote(quotation: str) -> str:
    try:
        text = str(ast.literal_eval(quotation))
    except (ValueError, SyntaxError):  # Not from `quote_text`: it only looks like a quotation.
        return quotation[1:-1]
    return text.encode("utf-8", "replace").decode("utf-8")


def hash_utterance(
    row_id: str, utterance: str | None, tombstone: Tombstone | None, erasures: Erasures
) -> str:
    """Compute the keyed hash of a row's utterance; if it was redacted, return what its tombstone remembers."""
    if utterance is None or utterance == REDACTED:
        return (tombstone.pins.get(row_id) if tombstone else None) or "unknown"
    return hash_with_key(utterance, require_key(erasures))


def mask_rows(ids: Collection[str], table: pa.Table) -> Any:
    """Build a mask of the rows whose id is among `ids`."""
    return pc.is_in(table.column("id"), pa.array(list(ids), pa.string()))


def _match_directly(table: pa.Table, erasures: Erasures) -> Matches:
    """Find the rows that a tombstone matches by itself."""
    matches = _match_redacted(table, erasures) | _match_pinned(table, erasures)
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
    remembered = {row_id: tombstone for tombstone in erasures.tombstones for row_id in tombstone.pins}
    redacted = pc.fill_null(pc.equal(table.column("utterance"), REDACTED), False)
    if "reason" in table.column_names:
        redacted = pc.or_(redacted, pc.equal(table.column("reason"), Reason.ERASED.value))
    return {row_id: remembered.get(row_id) for row_id in table.column("id").filter(redacted).to_pylist()}


def _match_pinned(table: pa.Table, erasures: Erasures) -> Matches:
    """Find the rows whose redaction was interrupted or undone: they have the ids and the texts that were pinned."""
    pinned = {
        row_id: (tombstone, pin)
        for tombstone in erasures.tombstones
        for row_id, pin in tombstone.pins.items()
    }
    matches: Matches = {}
    for row_id, text in _read_columns(table.filter(mask_rows(pinned, table)), "id", "utterance"):
        tombstone, pin = pinned[row_id]
        if text is None:
            is_same = row_id in tombstone.pending and not pin
        else:
            is_same = text != REDACTED and pin != "" and pin == compute_pin(text, require_key(erasures))
        if is_same:
            matches[row_id] = tombstone
    return matches


def _match_moved(tables: Sequence[pa.Table], matches: Matches, erasures: Erasures) -> Matches:
    """Find pinned rows that moved: their file was edited after their redaction was interrupted.

    No row with the pinned id has the pinned text any more, but a different row of the same file has it.
    """
    moved = {
        (_get_file(row_id), pin): tombstone
        for tombstone in erasures.tombstones
        for row_id, pin in tombstone.pending.items()
        if pin and row_id not in matches
    }
    files = {file for file, _ in moved}
    related: Matches = {}
    for table in tables if moved else ():
        for row_id, text in _read_columns(table, "id", "utterance"):
            if row_id not in matches and text is not None and _get_file(row_id) in files:
                pin = compute_pin(text, require_key(erasures))
                if (tombstone := moved.get((_get_file(row_id), pin))) is not None:
                    related[row_id] = tombstone
    return related


def _match_turns(tables: Sequence[pa.Table], matches: Matches) -> Matches:
    """Find the other calls of the turns that have a matched call: all of them say the same."""
    turns: Matches = {}
    for table in tables:
        for row_id, turn in _list_turns(table):
            if row_id in matches:
                turns.setdefault(turn, matches[row_id])
    return {
        row_id: turns[turn]
        for table in tables
        for row_id, turn in _list_turns(table)
        if turn in turns and row_id not in matches
    }


def _list_turns(table: pa.Table) -> Iterator[tuple[str, str]]:
    """Yield the id of each row that may be one of several calls of a turn, and what its turn is known by."""
    if "turn" in table.column_names:
        yield from _read_columns(table, "id", "turn")
        return
    # A ledger has no turns. The calls of one line have its id in common, and those of several lines their text.
    rows = list(_read_columns(table, "id", "group", "utterance", "reason"))
    incomplete = {(group, text) for _, group, text, reason in rows if reason == Reason.INCOMPLETE_TURN}
    for row_id, group, text, _ in rows:
        line, is_call, _ = row_id.partition("/calls/")
        if is_call or (group, text) in incomplete:
            yield row_id, line if is_call else f"{group}\x00{text}"


def _get_file(row_id: str) -> str:
    """Return the source and file of a row id."""
    return row_id.rpartition("#")[0]


def _match_place(tombstone: Tombstone, ids: Sequence[str], groups: Sequence[str]) -> Iterator[str]:
    """Find the rows of a tombstone's dialogue or place, by id."""
    if tombstone.dialogue is not None:
        ends = (f":{tombstone.dialogue}", f"/{tombstone.dialogue}")
        for row_id, group in zip(ids, groups, strict=True):
            if group == tombstone.dialogue or group.endswith(ends):
                yield row_id
    # Once redacted, the lines that a place names may have moved.
    elif tombstone.place is not None and not tombstone.pins:
        starts = (f"{tombstone.place}/", f"{tombstone.place}#")
        for row_id in ids:
            if row_id == tombstone.place or row_id.startswith(starts):
                yield row_id


class _Reasons(NamedTuple):
    """Why a row may be taken along: what the matched rows of all tables are, and what they say."""

    by_group: Matches
    by_group_and_text: dict[tuple[str, str], Tombstone | None]
    by_text: Matches
    """Texts that no other row says, and that are not short: whoever quotes one quotes a matched row."""


def _collect_reasons(tables: Sequence[pa.Table], matches: Matches) -> _Reasons:
    reasons = _Reasons({}, {}, {})
    others: Counter[str] = Counter()
    for table in tables:
        for row_id, group, text in _read_columns(table, "id", "group", "utterance"):
            if row_id not in matches:
                others[text or ""] += 1
                continue
            reasons.by_group.setdefault(group, matches[row_id])
            if text and text != REDACTED:
                reasons.by_group_and_text.setdefault((group, text), matches[row_id])
                if len(text) >= MIN_QUOTE:
                    reasons.by_text.setdefault(text, matches[row_id])
    for text in others:
        reasons.by_text.pop(text, None)
    return reasons


def _match_related(table: pa.Table, matches: Matches, reasons: _Reasons, whole_groups: bool) -> Matches:
    """Find the rows of a table that matched rows, of any table, take with them."""
    related: Matches = {}
    has_context = "context" in table.column_names
    contexts = table.column("context").to_pylist() if has_context and not whole_groups else None
    for row, (row_id, group) in enumerate(_read_columns(table, "id", "group")):
        if row_id in matches:
            continue
        if whole_groups:
            if group in reasons.by_group:
                related[row_id] = reasons.by_group[group]
        elif contexts is not None:
            for turn in contexts[row]:
                text = turn["utterance"]
                if (group, text) in reasons.by_group_and_text:
                    related[row_id] = reasons.by_group_and_text[group, text]
                    break
                if text in reasons.by_text:
                    related[row_id] = reasons.by_text[text]
                    break
    return related


def _read_columns(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table.column(name).to_pylist() for name in names), strict=True)


def _flatten_texts(table: pa.Table) -> Iterator[tuple[Any, Any]]:
    """Yield all texts of a table's rows, column by column, with the number of the row that each belongs to.

    Of a ledger's messages, only what they quote is from the data.
    """
    yield _combine_column(table, "utterance"), pa.array(range(table.num_rows), pa.int64())
    if "message" in table.column_names:
        quotations = [list_quotations(message) for message in table.column("message").to_pylist()]
        rows = [row for row, texts in enumerate(quotations) for _ in texts]
        yield pa.array(chain.from_iterable(quotations), pa.string()), pa.array(rows, pa.int64())
    if "reply" in table.column_names:
        yield _combine_column(table, "reply"), pa.array(range(table.num_rows), pa.int64())
    if "context" in table.column_names:
        context = _combine_column(table, "context")
        yield pc.struct_field(pc.list_flatten(context), "utterance"), pc.list_parent_indices(context)
    if "arguments" in table.column_names:
        arguments = _combine_column(table, "arguments")
        rows, items = pc.list_parent_indices(arguments), pc.list_flatten(arguments)
        yield pc.struct_field(items, "value"), rows
        for name in ("spoken", "accepted"):
            texts = pc.struct_field(items, name)
            yield pc.list_flatten(texts), rows.take(pc.list_parent_indices(texts))


def _combine_column(table: pa.Table, name: str) -> Any:
    return table.column(name).combine_chunks()
