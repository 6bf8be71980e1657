"""Find erased rows in tables: by their texts, the keyed hashes of these, their dialogues, and their rules."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import pyarrow.compute as pc

from exemplars.audit.erasure.identity import (
    IDENTITY_COLUMNS,
    RowIdentity,
    build_origin_keys,
    has_ids,
    is_among,
    is_text,
    list_base_ids,
    make_origin_key,
)
from exemplars.audit.erasure.matched_rows import MatchedRows
from exemplars.audit.erasure.search import (
    MIN_LENGTH,
    list_document_strings,
)
from exemplars.audit.erasure.table_reader import TableSource
from exemplars.core.records import REDACTED, Reason
from exemplars.dataset.texts import make_erasure_key
from stages.ingest.tombstone_matching import make_text_matcher
from stages.ingest.tombstones import Erasures, Tombstone, hash_with_key, require_key

_SOURCE_COLUMNS: Final = (*IDENTITY_COLUMNS, "group")


class SourceFinder:
    """Finds the erased rows in tables: by their texts, the keyed hashes of these, their dialogues, and their rules."""

    def __init__(self, matched: MatchedRows, erasures: Erasures) -> None:
        """matched: the rows that the tombstones match in the raw files."""
        self.utterances = {row.id: row.text for row in matched.rows if row.text is not None}
        self.origins = {make_origin_key(row.origin) for row in matched.rows if row.origin is not None}
        self.tombstones: set[str] = set()
        self.groups = set(matched.groups)
        self._kept = {_make_key(text) for text in matched.kept}
        self._files = {_name_file(row.id) for row in matched.rows}
        self._pins: dict[str, set[str]] = defaultdict(set)
        for tombstone in erasures.tombstones:
            for row_id, pin in tombstone.pins.items():
                self._files.add(_name_file(row_id))
                if pin:
                    self._pins[pin].add(row_id)
            for row_id, pins in tombstone.unread.items():
                for pin in pins:
                    self._pins[pin].add(row_id)
        self._key = require_key(erasures) if self._pins else b""
        self._dialogues = {
            tombstone.dialogue: tombstone for tombstone in erasures.tombstones if tombstone.dialogue
        }
        self._match_text = make_text_matcher(erasures)
        self._rules: dict[str, Tombstone | None] = {}
        self._hashes: dict[str, str] = {}
        self._long = {text for text in self.utterances.values() if self._is_own(text)}
        self._short = {text for text in self.utterances.values() if not self._is_kept(text)} - self._long

    @property
    def is_missing_texts(self) -> bool:
        """Whether the text of a redacted row has been found in no table."""
        return any(not ids & self.utterances.keys() for ids in self._pins.values())

    def read(self, place: TableSource) -> None:
        """Find the erased rows of a table."""
        table = place.read(_SOURCE_COLUMNS)
        if table is None or not has_ids(table) or not is_text(table, "utterance"):
            return
        texts, ids = table.column("utterance"), list_base_ids(table)
        for text in pc.unique(texts).to_pylist():
            if text and text != REDACTED:
                self._judge(text)
        rule_texts = [text for text, tombstone in self._rules.items() if tombstone]
        mask = is_among(texts, [*rule_texts, *self._long, *self._short])
        pinned = {row_id for row_ids in self._pins.values() for row_id in row_ids}
        mask = pc.or_(mask, is_among(ids, self.utterances.keys() | pinned))
        if place.is_source and is_text(table, "group"):
            groups = table.column("group")
            named = [group for group in pc.unique(groups).to_pylist() if group and self._find_dialogue(group)]
            mask = pc.or_(mask, is_among(groups, [*named, *self.groups]))
        if is_text(table, "reason"):
            mask = pc.and_(mask, pc.invert(is_among(table.column("reason"), [Reason.ERASED.value])))
        rows = table.append_column("base id", ids).filter(mask)
        keys = build_origin_keys(rows)
        keys = keys.to_pylist() if keys is not None else [None] * rows.num_rows
        groups = (
            rows.column("group").to_pylist()
            if place.is_source and is_text(rows, "group")
            else [""] * len(keys)
        )
        columns = (rows.column("base id").to_pylist(), rows.column("utterance").to_pylist(), keys, groups)
        for row_id, text, key, group in zip(*columns, strict=True):
            if self._is_erased(row_id, text, group):
                self._add(row_id, text, key, place.is_source)

    def read_document(self, data: bytes) -> None:
        """Find the texts of rows that no table has, in the strings of a document."""
        for text in list_document_strings(data):
            if text and text != REDACTED:
                self._judge(text)
                for row_id in self._pins.get(self._hashes.get(text, ""), ()):
                    self.utterances.setdefault(row_id, text)

    def build_identity(self, matched: MatchedRows) -> RowIdentity:
        """Build the identity of the rows that were found; other rows with their ids are still unknown."""
        pinned = {row_id for ids in self._pins.values() for row_id in ids}
        ids = frozenset({row.id for row in matched.rows} | set(self.utterances) | pinned)
        return RowIdentity(ids, frozenset(self.origins), neighbors=ids - matched.kept_ids)

    def _is_own(self, text: str) -> bool:
        return len(text) >= MIN_LENGTH and not self._is_kept(text)

    def _is_kept(self, text: str) -> bool:
        return _make_key(text) in self._kept

    def _judge(self, text: str) -> None:
        """Note whether a text is that of an erased row."""
        if text not in self._rules:
            self._rules[text] = self._match_text(text)
        if self._pins and text not in self._hashes:
            pin = self._hashes[text] = hash_with_key(text, self._key)
            if pin in self._pins and not self._is_kept(text):
                (self._long if self._is_own(text) else self._short).add(text)

    def _find_dialogue(self, group: str) -> Tombstone | None:
        return next(
            (tombstone for name, tombstone in self._dialogues.items() if _is_dialogue(name, group)), None
        )

    def _is_erased(self, row_id: str, text: str | None, group: str) -> bool:
        """Check whether a row is an erased one."""
        rule = self._rules.get(text or "") or self._find_dialogue(group)
        if rule is not None:
            self.tombstones.add(rule.id)
            return True
        if text is None:
            return group in self.groups
        return (
            group in self.groups
            or self.utterances.get(row_id) == text
            or row_id in self._pins.get(self._hashes.get(text, ""), ())
            or text in self._long
            or (text in self._short and _name_file(row_id) in self._files)
        )

    def _add(self, row_id: str, text: str | None, key: str | None, is_source: bool) -> None:
        if key is not None:
            self.origins.add(key)
        if text and text != REDACTED and (is_source or row_id not in self.utterances):
            self.utterances[row_id] = text


def _make_key(text: str) -> str:
    """Make a key that a text shares with what hashes alike; of emoji or punctuation alone, no other key is left."""
    return make_erasure_key(text) or text.strip()


def _is_dialogue(name: str, group: str) -> bool:
    return group == name or group.endswith((f":{name}", f"/{name}"))


def _name_file(row_id: str) -> str:
    return row_id.rpartition("#")[0]
