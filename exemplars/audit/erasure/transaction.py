"""The redaction of raw files as a transaction: it can be killed at any moment, and the same command finishes it.

First the tombstones pin each row by its keyed hash (`pending`), then the log names each file with its hashes before
and after, then the files are replaced one by one, and last the pins become `redacted`. Rows whose pins match are
erased by `ingest` at every one of these moments.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exemplars.audit.erasure.matched_rows import ErasedRow
from exemplars.audit.erasure.redaction import choose_redactor
from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.core.file_locks import lock_file
from exemplars.core.files import read_file, write_bytes
from stages.ingest.params import AnySource
from stages.ingest.tombstones import Erasures, Tombstone, compute_pin, encode_tombstones, require_key

LOG: Final = layout.REPORTS / "erasures" / "redactions.jsonl"
"""What was redacted: a `RedactedFile` per line, written before the file is replaced."""


class RedactedFile(NamedTuple):
    """A raw file, before and after its redaction."""

    path: str
    rows: int
    sha256_before: str
    sha256_after: str
    md5_before: str = ""
    """DVC's hash of the content, by which a cache or a remote may have it."""
    tombstones: tuple[str, ...] = ()
    """The ids of the tombstones that match its rows."""


class LogRedaction(NamedTuple):
    """A file of decisions or preferences to redact."""

    path: Path
    """Relative to the project's root."""
    lines: int
    """How many of its lines are redacted."""
    redact: Callable[[bytes], bytes]
    """From the bytes of the file to those of the redacted file."""


class Redaction(NamedTuple):
    """The result of redacting raw files."""

    files: tuple[RedactedFile, ...] = ()
    by_hand: tuple[str, ...] = ()
    """The files that must be edited by hand."""


def redact_files(
    root: Path,
    rows: Sequence[ErasedRow],
    logs: Sequence[LogRedaction],
    sources: Mapping[str, AnySource],
    erasures: Erasures,
) -> Redaction:
    """Redact the rows in their raw files, and what people said of them; an interrupted call is finished.

    logs: the files of decisions and preferences. Nothing is written before the new content of all files is known.
    """
    by_hand = [row for row in rows if _must_edit_by_hand(row, sources)]
    locators: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row.locator and choose_redactor(sources[row.source]) is not None:
            locators[row.source, row.file].add(row.locator)
    files = {place: _compare_file(root, place, rows, found, sources) for place, found in locators.items()}
    changed = {
        place: file for place, file in sorted(files.items()) if file.sha256_before != file.sha256_after
    }
    pinned = add_pins(
        erasures, [row for row in rows if row.text is not None or (row.source, row.file) in changed]
    )
    _write_tombstones(root, erasures.tombstones, pinned)
    decisions = [_compare_log(root, log, erasures) for log in logs if log.lines]
    _append_to_log(root, [*changed.values(), *decisions])
    for source, path in changed:
        write_bytes(root / path, _redact_file(root, path, locators[source, path], sources[source]))
    for log in logs:
        if log.lines:
            _replace_log(root, log)
    settled = move_pins(pinned, {row.id for row in by_hand})
    _write_tombstones(root, pinned, settled)
    return Redaction((*changed.values(), *decisions), tuple(sorted({row.file for row in by_hand})))


def add_pins(erasures: Erasures, rows: Iterable[ErasedRow]) -> tuple[Tombstone, ...]:
    """Add pins to the tombstones of the rows that are about to be redacted."""
    key = require_key(erasures)
    pins: dict[str, dict[str, str]] = defaultdict(dict)
    unread: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for row in rows:
        if row.tombstone is not None and (row.text is not None or row.id not in row.tombstone.pins):
            pins[row.tombstone.id][row.id] = compute_pin(row.text, key)
            if row.raw_texts:
                unread[row.tombstone.id][row.id] = sorted({compute_pin(text, key) for text in row.raw_texts})
    return tuple(
        _add_pins(tombstone, pins.get(tombstone.id, {}), unread.get(tombstone.id, {}))
        for tombstone in erasures.tombstones
    )


def move_pins(tombstones: Iterable[Tombstone], unredacted: Collection[str]) -> tuple[Tombstone, ...]:
    """Move the pins to `redacted`, except for those of the rows that are still to be redacted by hand."""
    return tuple(
        msgspec.structs.replace(
            tombstone,
            pending={row_id: pin for row_id, pin in tombstone.pending.items() if row_id in unredacted},
            redacted=dict(
                sorted((row_id, pin) for row_id, pin in tombstone.pins.items() if row_id not in unredacted)
            ),
        )
        for tombstone in tombstones
    )


def read_log(root: Path, tombstones: Collection[str]) -> tuple[RedactedFile, ...]:
    """Read the log: the files with rows of the tombstones, in the order of their redactions."""
    lines = (root / LOG).read_bytes().splitlines() if (root / LOG).exists() else []
    files = [RedactedFile(**msgspec.json.decode(line)) for line in lines]
    return tuple(
        file._replace(tombstones=tuple(file.tombstones))
        for file in files
        if set(file.tombstones) & set(tombstones)
    )


def _must_edit_by_hand(row: ErasedRow, sources: Mapping[str, AnySource]) -> bool:
    """Check whether no redactor can redact a row: its format has none, or the file cannot be read."""
    if not row.locator:
        return row.tombstone is not None
    return row.is_in_raw_file and choose_redactor(sources[row.source]) is None


def _compare_file(
    root: Path,
    place: tuple[str, str],
    rows: Iterable[ErasedRow],
    locators: Collection[str],
    sources: Mapping[str, AnySource],
) -> RedactedFile:
    """Redact a file in memory, and describe it before and after. place: its source and path."""
    source, path = place
    before = (root / path).read_bytes()
    after = _redact_file(root, path, locators, sources[source])
    in_file = [row for row in rows if (row.source, row.file) == place]
    return RedactedFile(
        path,
        len(locators),
        hash_content(before),
        hash_content(after),
        hashlib.md5(before, usedforsecurity=False).hexdigest(),
        tuple(sorted({row.tombstone.id for row in in_file if row.tombstone})),
    )


def _compare_log(root: Path, log: LogRedaction, erasures: Erasures) -> RedactedFile:
    """Redact a file of decisions or preferences in memory, and describe it before and after."""
    before = read_file(root / log.path)
    return RedactedFile(
        log.path.as_posix(),
        log.lines,
        hash_content(before),
        hash_content(log.redact(before)),
        hashlib.md5(before, usedforsecurity=False).hexdigest(),
        tuple(sorted(tombstone.id for tombstone in erasures.tombstones)),
    )


def _replace_log(root: Path, log: LogRedaction) -> None:
    """Redact a file to which others may append at the same time."""
    with lock_file(root / log.path):
        write_bytes(root / log.path, log.redact(read_file(root / log.path)))


def _redact_file(root: Path, path: str, locators: Collection[str], source: AnySource) -> bytes:
    redactor = choose_redactor(source)
    assert redactor is not None
    return redactor((root / path).read_bytes(), locators)


def _add_pins(tombstone: Tombstone, pins: Mapping[str, str], unread: Mapping[str, list[str]]) -> Tombstone:
    """Add pins to `pending`; a row that came back, such as by `git checkout`, is no longer `redacted`."""
    if not pins:
        return tombstone
    redacted = {row_id: pin for row_id, pin in tombstone.redacted.items() if row_id not in pins}
    pending = dict(sorted({**tombstone.pending, **pins}.items()))
    unread = dict(sorted({**tombstone.unread, **unread}.items()))
    return msgspec.structs.replace(tombstone, pending=pending, redacted=redacted, unread=unread)


def _write_tombstones(root: Path, before: Sequence[Tombstone], after: Sequence[Tombstone]) -> None:
    if tuple(before) != tuple(after):
        write_bytes(root / layout.ERASURES, encode_tombstones(after))


def _append_to_log(root: Path, files: Iterable[RedactedFile]) -> None:
    """Add files to the log, but for those that an interrupted call has added."""
    path = root / LOG
    data = path.read_bytes() if path.exists() else b""
    lines = [msgspec.json.encode(file._asdict()) for file in files]
    known = set(data.splitlines())
    if new := [line for line in lines if line not in known]:
        write_bytes(path, data + b"".join(line + b"\n" for line in new))
