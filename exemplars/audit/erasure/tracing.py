"""Trace erased rows through all tables of the workspace and the stores: what they are known by, and all their texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.audit.erasure.identity import (
    IDENTITY_COLUMNS,
    RowIdentity,
    build_origin_keys,
    find_derived_rows,
    has_ids,
    is_among,
    is_text,
    list_base_ids,
    make_origin_key,
    make_text_key,
)
from exemplars.audit.erasure.matched_rows import MatchedRows
from exemplars.audit.erasure.objects import Stores
from exemplars.audit.erasure.search import (
    MIN_LENGTH,
    SearchTerms,
    fold_text,
    list_document_strings,
    parse_table,
)
from exemplars.core import layout
from exemplars.core.ids import is_speech_id
from exemplars.core.records import REDACTED, Reason
from exemplars.dataset.texts import make_erasure_key
from stages.ingest.tombstone_matching import make_text_matcher
from stages.ingest.tombstones import Erasures, Tombstone, hash_with_key, require_key

ShowProgress = Callable[[Sequence[str], str], Iterable[str]]
"""Shows progress through some names, with a title, as they are iterated over."""
SOURCE_TABLES: Final = (layout.EXEMPLARS.as_posix(), f"{layout.RECORDS.as_posix()}/")
"""Where the tables with the authors' own texts are; later stages may replace texts."""
_SOURCE_COLUMNS: Final = (*IDENTITY_COLUMNS, "group")
_TEXT_COLUMNS: Final = (*IDENTITY_COLUMNS, "exemplar", "arguments", "context")
_SHORT: Final = 3
"""Shorter values are not searched: they occur anywhere."""


class Trace(NamedTuple):
    """What is known of the erased rows."""

    utterances: dict[str, str]
    """The utterance of each row, by id, with the ids that it had earlier."""
    identity: RowIdentity
    forms: dict[str, set[str]]
    """The texts, by form: utterance, speech view, replaced text, template, context, value, raw record."""
    tombstones: frozenset[str]
    """The ids of the tombstones that match a row in some table, though perhaps none of a raw file."""


class _Table(NamedTuple):
    """Where a table is, and how to read some of its columns."""

    read: Callable[[Collection[str]], pa.Table | None]
    is_source: bool
    """Whether it has the authors' own texts."""


class TableReader:
    """Reads the tables of the workspace and the stores, each content once per pass."""

    def __init__(
        self,
        root: Path,
        folders: Collection[str],
        stores: Stores,
        needed: Mapping[str, Mapping[str, Collection[str]]],
        show_progress: ShowProgress,
    ) -> None:
        """folders: of the workspace. needed: by hash and revision, the paths of an object."""
        self._root = root
        self._folders = sorted(folders)
        self._stores = stores
        self._needed = needed
        self._show_progress = show_progress
        self._others: set[str] = set()
        """Objects that are no tables: they are read in the first pass only."""

    def read_current(self) -> Iterator[_Table]:
        """Yield the tables of the workspace."""
        for folder in self._folders:
            for path in sorted((self._root / folder).rglob("*.parquet")):
                name = path.relative_to(self._root).as_posix()
                yield _Table(_make_file_reader(path), name.startswith(SOURCE_TABLES))

    def read(self, title: str) -> Iterator[_Table]:
        """Yield all tables: those of the workspace, then those of the stores."""
        yield from self.read_current()
        for store, md5 in self._list_objects(title):
            data = store.read_object(md5)
            if parse_table(data, ()) is None:
                self._others.add(md5)
                continue
            paths = [path for revision in self._needed.get(md5, {}).values() for path in revision]
            yield _Table(_make_bytes_reader(data), any(path.startswith(SOURCE_TABLES) for path in paths))

    def read_documents(self, title: str) -> Iterator[bytes]:
        """Yield all objects that are no tables; after a pass of `read`."""
        unread = set(self._others)
        for store in self._stores.present:
            for md5 in self._show_progress(store.list_objects(), f"erase: {title} in {store.name}"):
                if md5 in unread:
                    unread.discard(md5)
                    yield store.read_object(md5)

    def _list_objects(self, title: str) -> Iterator[tuple[Any, str]]:
        seen = set(self._others)
        for store in self._stores.present:
            for md5 in self._show_progress(store.list_objects(), f"erase: {title} in {store.name}"):
                if md5 not in seen:
                    seen.add(md5)
                    yield store, md5


def trace_rows(matched: MatchedRows, erasures: Erasures, reader: TableReader) -> Trace:
    """Find out all that the erased rows have been: in the raw files, in the tables of all revisions, and between them.

    Raises `UserError` if a store cannot be read.
    """
    finder = _SourceFinder(matched, erasures)
    for table in reader.read("rows"):
        finder.read(table)
    if finder.is_missing_texts:
        for data in reader.read_documents("raw files"):
            finder.read_document(data)
    identity = _find_others(finder.build_identity(matched), reader)
    forms: dict[str, set[str]] = defaultdict(set)
    digests: set[str] = set()
    for table in reader.read("derived rows"):
        digests |= _collect_forms(table, identity, set(finder.utterances.values()), forms)
    for row in matched.rows:
        forms["raw record"].update(row.raw_texts)
        if row.text is not None:
            forms["utterance"].add(row.text)
    forms["utterance"].update(finder.utterances.values())
    identity = identity._replace(digests=frozenset(digests - _find_other_digests(digests, identity, reader)))
    return Trace(finder.utterances, identity, dict(forms), frozenset(finder.tombstones))


def build_search_terms(
    trace: Trace, matched: MatchedRows, raw_files: Iterable[str], reader: TableReader
) -> SearchTerms:
    """Choose what to search for: what no kept row says, now or in the tables of the workspace.

    raw_files: the SHA-256 of files that are known to have held an erased row.
    """
    kept = matched.kept | _list_kept_texts(trace.identity, reader)
    said = "\0".join(kept)
    by_form = {
        form: {text for text in texts if text and text != REDACTED} for form, texts in trace.forms.items()
    }
    everything = {text for texts in by_form.values() for text in texts}
    texts = {
        text
        for text in everything
        if len(text) >= MIN_LENGTH and text not in matched.declared and text not in said
    }
    short = {text for text in by_form.get("utterance", ()) if len(text) < MIN_LENGTH}
    values = by_form.get("value", set()) | short
    strings = {text for text in values - kept - matched.declared if _is_distinctive(text)}
    compared = ("utterance", "replaced text", "template")
    folded = {fold_text(text) for form in compared for text in by_form.get(form, ())}
    return SearchTerms(
        texts=frozenset(texts),
        rows=trace.utterances,
        identity=trace.identity,
        raw_files=frozenset(raw_files),
        strings=frozenset(strings),
        folded=frozenset(folded - {fold_text(text) for text in kept} - {""}),
        forms={form: len(texts) for form, texts in sorted(by_form.items()) if texts},
        unsearched=len(everything - texts - strings),
    )


class _SourceFinder:
    """Finds the erased rows in tables: by their texts, the keyed hashes of these, their dialogues, and their rules."""

    def __init__(self, matched: MatchedRows, erasures: Erasures) -> None:
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

    def read(self, place: _Table) -> None:
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


def _find_others(identity: RowIdentity, reader: TableReader) -> RowIdentity:
    """Add the other rows that have had one of the ids."""
    origins: set[str] = set()
    texts: set[str] = set()
    for place in reader.read("ids"):
        table = place.read(IDENTITY_COLUMNS) if place.is_source else None
        keys = build_origin_keys(table) if table is not None and has_ids(table) else None
        if table is None or keys is None or not is_text(table, "utterance"):
            continue
        ids = list_base_ids(table)
        mask = pc.and_(is_among(ids, identity.ids), pc.invert(is_among(keys, identity.origins)))
        mask = pc.and_(mask, pc.is_valid(table.column("utterance")))
        columns = (column.filter(mask).to_pylist() for column in (ids, keys, table.column("utterance")))
        for row_id, key, text in zip(*columns, strict=True):
            if text != REDACTED:
                origins.add(key)
                texts |= {make_text_key(row_id, text), make_text_key(row_id, "")}
    return identity._replace(other_origins=frozenset(origins), other_texts=frozenset(texts))


def _collect_forms(
    place: _Table, identity: RowIdentity, utterances: Collection[str], forms: dict[str, set[str]]
) -> set[str]:
    """Collect the texts of a table's derived rows, and return their digests."""
    table = place.read(_TEXT_COLUMNS)
    if table is None or not has_ids(table):
        return set()
    rows = table.filter(find_derived_rows(table, identity._replace(neighbors=frozenset())))
    for row in rows.to_pylist():
        row_id, text = row.get("id") or row.get("exemplar_id") or "", row.get("utterance")
        is_speech = is_speech_id(row_id) or is_speech_id(row.get("exemplar_id") or "")
        form = "utterance" if text in utterances else "speech view" if is_speech else "replaced text"
        forms[form].update(filter(None, (text,)))
        forms["template"].update(filter(None, (row.get("exemplar"),)))
        forms["context"].update(turn["utterance"] for turn in row.get("context") or ())
        for argument in row.get("arguments") or ():
            said = (argument.get("value"), argument.get("surface"), *(argument.get("spoken") or ()))
            forms["value"].update(filter(None, said))
    return set(rows.column("digest").drop_null().to_pylist()) if is_text(rows, "digest") else set()


def _find_other_digests(digests: Collection[str], identity: RowIdentity, reader: TableReader) -> set[str]:
    """Find the digests that rows have, too, that were not derived from the erased rows."""
    others: set[str] = set()
    for place in reader.read("digests"):
        table = place.read(IDENTITY_COLUMNS)
        if table is not None and has_ids(table) and is_text(table, "digest"):
            mask = pc.and_(
                is_among(table.column("digest"), digests), pc.invert(find_derived_rows(table, identity))
            )
            others.update(table.column("digest").filter(mask).to_pylist())
    return others


def _list_kept_texts(identity: RowIdentity, reader: TableReader) -> set[str]:
    """List the utterances, templates and values of all other rows in the tables of the workspace."""
    texts: set[str] = set()
    for place in reader.read_current():
        table = place.read(_TEXT_COLUMNS)
        if table is None or not has_ids(table):
            continue
        rows = table.filter(pc.invert(find_derived_rows(table, identity)))
        for name in ("utterance", "exemplar"):
            if is_text(rows, name):
                texts.update(filter(None, pc.unique(rows.column(name)).to_pylist()))
    return texts


def _is_distinctive(text: str) -> bool:
    """Check whether a short text is more than a word or number that occurs anywhere."""
    return len(text) >= _SHORT and (any(map(str.isalpha, text)) or sum(map(str.isdigit, text)) > _SHORT)


def _make_key(text: str) -> str:
    """Make a key that a text shares with what hashes alike; of emoji or punctuation alone, no other key is left."""
    return make_erasure_key(text) or text.strip()


def _is_dialogue(name: str, group: str) -> bool:
    return group == name or group.endswith((f":{name}", f"/{name}"))


def _name_file(row_id: str) -> str:
    return row_id.rpartition("#")[0]


def _make_file_reader(path: Path) -> Callable[[Collection[str]], pa.Table | None]:
    return lambda columns: parse_table(path.read_bytes(), columns)


def _make_bytes_reader(data: bytes) -> Callable[[Collection[str]], pa.Table | None]:
    return lambda columns: parse_table(data, columns)
