"""Erasures: tombstones, and which rows they mean.

A tombstone names a dialogue, a place, a value by its keyed hash, or a pattern. What it means is taken out by
`ingest`; the ledger then has the row's place and the keyed hash of its text, and nothing that was said.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.records import REDACTED
from exemplars.dataset.texts import normalize_text

KEY_VARIABLE: Final = "EXEMPLARS_ERASURE_KEY"
SHORTEST_KEY: Final = 16
MOST_WORDS: Final = 6
"""The longest value, in words, that is found by its keyed hash."""
CRITERIA: Final = ("dialogue", "place", "value", "pattern")


class Tombstone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be gone, who decided it, and why. Exactly one of `CRITERIA` is given."""

    id: str
    dialogue: str | None = None
    """A group, such as `sgd:train/1_00000`, or the bare id of a dialogue."""
    place: str | None = None
    """A row id, or where one begins at a `/` or `#`: `skills:call.md#12`, `skills:call.md`."""
    value: str | None = None
    """`keyed_hash` of a value of up to six words, wherever it is said."""
    pattern: str | None = None
    """A regular expression (Python's), wherever it is found."""
    reviewer: str
    reason: str
    redacted: dict[str, str] = {}
    """The keyed hash of each utterance that is gone from the raw files, by row id; `exemplars erase` adds it."""

    @property
    def rule(self) -> str:
        """Which of `CRITERIA` it is."""
        return next(name for name in CRITERIA if getattr(self, name) is not None)


class Erasures(NamedTuple):
    """All tombstones, and the key of their hashes."""

    tombstones: tuple[Tombstone, ...] = ()
    key: bytes | None = None


def decode_tombstones(path: str, data: bytes) -> tuple[Tombstone, ...]:
    """The tombstones of a file: JSON, one object a line.

    path: for messages. Raises `UserError` with everything that is wrong with any of them.
    """
    found: list[Tombstone] = []
    problems: list[Diagnostic] = []
    ids: dict[str, int] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=Tombstone)
            wrong = _wrong(one)
            if one.id in ids:
                wrong = f"the id {one.id!r}, which line {ids[one.id]} has, too"
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            one, wrong = None, str(error)
        if wrong is not None:
            problems.append(_malformed(path, number, wrong))
        elif one is not None:
            ids[one.id] = number
            found.append(one)
    if problems:
        raise UserError(problems)
    return tuple(found)


def encode_tombstones(tombstones: Sequence[Tombstone]) -> bytes:
    """The inverse of `decode_tombstones`."""
    return b"".join(msgspec.json.encode(one) + b"\n" for one in tombstones)


def erasure_key(environment: Mapping[str, str]) -> bytes | None:
    """The key of the environment; null where none is set. Raises `UserError` for one that is too short."""
    key = environment.get(KEY_VARIABLE, "")
    if not key:
        return None
    if len(key) < SHORTEST_KEY:
        raise UserError([_no_key(f"{KEY_VARIABLE} with {len(key)} characters")])
    return key.encode("utf-8")


def needed_key(erasures: Erasures) -> bytes:
    """The key. Raises `UserError` where none is set."""
    if erasures.key is None:
        raise UserError([_no_key(f"{KEY_VARIABLE} not set, and a tombstone that needs it")])
    return erasures.key


def keyed_hash(text: str, key: bytes) -> str:
    """HMAC-SHA256 of the normalized text, in hexadecimal: nobody without the key can guess at it."""
    return hmac.digest(key, normalize_text(text).encode("utf-8"), "sha256").hex()


def matched_rows(
    tables: Sequence[pa.Table], erasures: Erasures, whole_groups: bool
) -> dict[str, Tombstone | None]:
    """The ids of the rows that tombstones mean, with the first tombstone that does.

    tables: records and ledgers of one source. Null: a row that was redacted, and that no tombstone names.
    whole_groups: a row takes its group with it, since the states of a dialogue carry values on; else it
    takes the rows with it whose context quotes it. Raises `UserError` where a key is needed and missing.
    """
    if not erasures.tombstones:
        return {}
    found: dict[str, Tombstone | None] = {}
    for table in tables:
        ids = table.column("id").to_pylist()
        found.update({ids[row]: by for row, by in _direct(table, ids, erasures).items()})
    for table in tables:
        found.update(_drawn_along(table, found, whole_groups))
    return found


def text_test(erasures: Erasures) -> Callable[[str], Tombstone | None]:
    """Which tombstone a text falls to, by value or pattern; null: none. Raises `UserError` for a lacking key."""
    patterns = [(re.compile(one.pattern), one) for one in erasures.tombstones if one.pattern is not None]
    values = {one.value: one for one in erasures.tombstones if one.value is not None}
    key = needed_key(erasures) if values else b""

    def test(text: str) -> Tombstone | None:
        for pattern, one in patterns:
            if pattern.search(text):
                return one
        if values:
            words = normalize_text(text).split()
            for start in range(len(words)):
                for end in range(start + 1, min(len(words), start + MOST_WORDS) + 1):
                    if hit := values.get(keyed_hash(" ".join(words[start:end]), key)):
                        return hit
        return None

    return test


def utterance_hash(
    row_id: str, utterance: str | None, tombstone: Tombstone | None, erasures: Erasures
) -> str:
    """The keyed hash of what a row said; where that is gone already, as its tombstone remembers it."""
    if utterance is None or utterance == REDACTED:
        return tombstone.redacted.get(row_id, "unknown") if tombstone else "unknown"
    return keyed_hash(utterance, needed_key(erasures))


def _direct(table: pa.Table, ids: list[str], erasures: Erasures) -> dict[int, Tombstone | None]:
    """The rows that are meant by themselves, by their number."""
    groups = table.column("group").to_pylist()
    gone = {name: one for one in erasures.tombstones for name in one.redacted}
    said = table.column("utterance").to_pylist()
    found = {row: gone.get(ids[row]) for row, text in enumerate(said) if text == REDACTED}
    for one in erasures.tombstones:
        if one.dialogue is not None:
            ends = (f":{one.dialogue}", f"/{one.dialogue}")
            rows = [n for n, group in enumerate(groups) if group == one.dialogue or group.endswith(ends)]
        elif one.place is not None and not one.redacted:
            starts = (f"{one.place}/", f"{one.place}#")
            rows = [n for n, name in enumerate(ids) if name == one.place or name.startswith(starts)]
        else:
            continue
        for row in rows:
            found[row] = found.get(row) or one
    if any(one.value is not None or one.pattern is not None for one in erasures.tombstones):
        test = text_test(erasures)
        for texts, parents in _texts(table):
            hits = {text: hit for text in pc.unique(texts).to_pylist() if text and (hit := test(text))}
            if hits:
                chosen = pc.is_in(texts, pa.array(list(hits), pa.string()))
                for row, text in zip(
                    parents.filter(chosen).to_pylist(), texts.filter(chosen).to_pylist(), strict=True
                ):
                    found[row] = found.get(row) or hits[text]
    return found


def _drawn_along(
    table: pa.Table, found: Mapping[str, Tombstone | None], whole_groups: bool
) -> dict[str, Tombstone | None]:
    """The rows that the found ones take with them."""
    ids, groups = table.column("id").to_pylist(), table.column("group").to_pylist()
    utterances = table.column("utterance").to_pylist()
    by_group: dict[str, Tombstone | None] = {}
    said: dict[tuple[str, str], Tombstone | None] = {}
    for name, group, text in zip(ids, groups, utterances, strict=True):
        if name in found:
            by_group.setdefault(group, found[name])
            said.setdefault((group, text or ""), found[name])
    drawn: dict[str, Tombstone | None] = {}
    contexts = table.column("context") if "context" in table.column_names else None
    for row, (name, group) in enumerate(zip(ids, groups, strict=True)):
        if name in found or group not in by_group:
            continue
        if whole_groups:
            drawn[name] = by_group[group]
        elif contexts is not None:
            quoted = [(group, turn["utterance"]) for turn in contexts[row].as_py()]
            for key in quoted:
                if key in said:
                    drawn[name] = said[key]
                    break
    return drawn


def _texts(table: pa.Table) -> Iterator[tuple[Any, Any]]:
    """All texts of a table's rows, with the numbers of their rows."""
    numbers = pa.array(range(table.num_rows), pa.int64())
    for name in ("utterance", "message"):
        if name in table.column_names:
            yield _flat(table, name), numbers
    if "context" in table.column_names:
        context = _flat(table, "context")
        yield pc.struct_field(pc.list_flatten(context), "utterance"), pc.list_parent_indices(context)
    if "arguments" in table.column_names:
        arguments = _flat(table, "arguments")
        rows, inner = pc.list_parent_indices(arguments), pc.list_flatten(arguments)
        yield pc.struct_field(inner, "value"), rows
        spoken = pc.struct_field(inner, "spoken")
        yield pc.list_flatten(spoken), rows.take(pc.list_parent_indices(spoken))


def _flat(table: pa.Table, name: str) -> Any:
    return table.column(name).combine_chunks()


def _wrong(one: Tombstone) -> str | None:
    """What is wrong with a tombstone; null: nothing."""
    given = [name for name in CRITERIA if getattr(one, name) is not None]
    if len(given) != 1:
        return f"{' and '.join(given) or 'none'} of {', '.join(CRITERIA)}"
    blank = [name for name in ("id", *given, "reviewer", "reason") if not getattr(one, name).strip()]
    if blank:
        return f"an empty {blank[0]}"
    if one.value is not None and not re.fullmatch(r"[0-9a-f]{64}", one.value):
        return f"the value {quote_text(one.value)}, which is no keyed hash"
    if one.pattern is not None:
        try:
            if re.compile(one.pattern).search(""):
                return f"the pattern {quote_text(one.pattern)}, which every text has"
        except re.error as error:
            return f"the pattern {quote_text(one.pattern)}: {error}"
    return None


def _malformed(path: str, line: int, found: str) -> Diagnostic:
    return Diagnostic(
        path=path,
        line=line,
        code="malformed_tombstone",
        found=found,
        expected=f"one JSON object a line: id, one of {', '.join(CRITERIA)}, reviewer, reason",
        fix="correct the line; `exemplars erase --hash` makes the hash of a value",
    )


def _no_key(found: str) -> Diagnostic:
    return Diagnostic(
        path="data/raw/erasures.jsonl",
        code="no_erasure_key",
        found=found,
        expected=f"a secret of at least {SHORTEST_KEY} characters in the environment",
        fix=f"export {KEY_VARIABLE}=…, always the same one; keep it outside of the project",
    )


def rows_in(names: Collection[str], table: pa.Table) -> Any:
    """A mask of the rows whose id is among `names`."""
    return pc.is_in(table.column("id"), pa.array(list(names), pa.string()))
