"""Erase for good: redact raw files, and remove objects from DVC's cache and remote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from exemplars.audit.erasure.objects import Store, Stores
from exemplars.audit.erasure.plan import ErasedRow, HoldingObject, Plan
from exemplars.audit.erasure.redaction import choose_redactor
from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.core.files import write_bytes
from stages.ingest.params import AnySource
from stages.ingest.tombstones import Erasures, Tombstone, encode_tombstones, hash_with_key, require_key


class RedactedFile(NamedTuple):
    """A raw file, before and after its redaction."""

    path: str
    rows: int
    sha256_before: str
    sha256_after: str


class Redaction(NamedTuple):
    """The result of redacting raw files."""

    files: tuple[RedactedFile, ...] = ()
    by_hand: tuple[str, ...] = ()
    """The files that must be edited by hand."""


def record_hashes(erasures: Erasures, rows: Sequence[ErasedRow]) -> tuple[Tombstone, ...]:
    """Record in the tombstones the keyed hashes of the utterances that are about to be redacted."""
    key = require_key(erasures)
    hashes: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row.tombstone is not None and row.text is not None:
            hashes[row.tombstone.id][row.id] = hash_with_key(row.text, key)
    return tuple(
        msgspec.structs.replace(
            tombstone, redacted=dict(sorted({**tombstone.redacted, **hashes[tombstone.id]}.items()))
        )
        if tombstone.id in hashes
        else tombstone
        for tombstone in erasures.tombstones
    )


def redact_files(
    root: Path, rows: Sequence[ErasedRow], sources: Mapping[str, AnySource], erasures: Erasures
) -> Redaction:
    """Redact the rows in their raw files.

    The keyed hashes are written into the tombstones first, so that a command that was killed can be run again.
    """
    locators: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row.text is not None and row.locator:
            locators[row.source, row.file].add(row.locator)
    if not locators:
        return Redaction()
    write_bytes(root / layout.ERASURES, encode_tombstones(record_hashes(erasures, rows)))
    files, by_hand = [], []
    for (source, file), in_file in sorted(locators.items()):
        redactor = choose_redactor(sources[source])
        if redactor is None:
            by_hand.append(file)
            continue
        before = (root / file).read_bytes()
        after = redactor(before, in_file)
        write_bytes(root / file, after)
        files.append(RedactedFile(file, len(in_file), hash_content(before), hash_content(after)))
    return Redaction(tuple(files), tuple(by_hand))


def divide_objects(plan: Plan, all_revisions: bool) -> tuple[list[HoldingObject], list[HoldingObject]]:
    """Divide the objects of a plan into those to remove and those to keep, since other revisions need them.

    Tables come last: if the command is killed, the erased texts can be found again in them.
    """
    removed = [item for item in plan.objects if all_revisions or not item.needed_by]
    kept = [item for item in plan.objects if not all_revisions and item.needed_by]
    return sorted(removed, key=lambda item: (item.table, item.store, item.md5)), kept


def remove_objects(objects: Sequence[HoldingObject], stores: Stores, root: Path) -> None:
    """Remove objects from their stores, and the entries of DVC's run-cache that name them."""
    by_name = {store.name: store for store in stores.present}
    _clean_run_cache({item.md5 for item in objects}, stores.present)
    for copy in (root / ".dvc" / "tmp" / "exemplars").glob("*"):
        copy.unlink()  # Copies of small files from git; they are written again when needed.
    for item in objects:
        by_name[item.store].remove_object(item.md5)


def _clean_run_cache(hashes: Collection[str], stores: Sequence[Store]) -> None:
    """Remove run-cache entries that name a removed object: DVC would restore a stage to outputs that are gone."""
    names = [md5.encode("ascii") for md5 in hashes]
    for store in stores:
        for place in store.list_run_cache():
            with store.fs.open(place, "rb") as file:
                data = file.read()
            if any(name in data for name in names):
                store.fs.remove(place)
