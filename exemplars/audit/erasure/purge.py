"""Erasing for good: raw files are redacted, objects removed, and everything is searched again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from exemplars.audit.erasure.objects import Store
from exemplars.audit.erasure.plan import ErasedRow, Object, Plan
from exemplars.audit.erasure.redaction import redaction_of
from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.core.files import write_bytes
from stages.ingest.params import AnySource
from stages.ingest.tombstones import Erasures, Tombstone, encode_tombstones, keyed_hash, needed_key


class Redacted(NamedTuple):
    """A raw file, before and after."""

    path: str
    rows: int
    sha256_before: str
    sha256_after: str


def pinned(erasures: Erasures, rows: Sequence[ErasedRow]) -> tuple[Tombstone, ...]:
    """The tombstones, with the keyed hashes of the rows whose texts are about to go."""
    key = needed_key(erasures)
    hashes: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row.tombstone is not None and row.text is not None:
            hashes[row.tombstone.id][row.id] = keyed_hash(row.text, key)
    return tuple(
        msgspec.structs.replace(one, redacted=dict(sorted({**one.redacted, **hashes[one.id]}.items())))
        if one.id in hashes
        else one
        for one in erasures.tombstones
    )


def redact(
    root: Path, rows: Sequence[ErasedRow], sources: dict[str, AnySource], erasures: Erasures
) -> tuple[list[Redacted], list[str]]:
    """Take the texts out of the raw files; answer what was changed, and the files to be changed by hand.

    The tombstones remember the keyed hashes first: killed in the middle, the command can be run again.
    """
    places: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row.text is not None and row.locator:
            places[row.source, row.file].add(row.locator)
    if not places:
        return [], []
    write_bytes(root / layout.ERASURES, encode_tombstones(pinned(erasures, rows)))
    done, by_hand = [], []
    for (source, file), locators in sorted(places.items()):
        change = redaction_of(sources[source])
        if change is None:
            by_hand.append(file)
            continue
        before = (root / file).read_bytes()
        after = change(before, locators)
        write_bytes(root / file, after)
        done.append(Redacted(file, len(locators), hash_content(before), hash_content(after)))
    return done, by_hand


def removable(plan: Plan, all_revisions: bool) -> tuple[list[Object], list[Object]]:
    """The objects that go, and those that stay since other revisions need them.

    Tables stand last: what was erased is known again from them, should the command be killed.
    """
    gone = [one for one in plan.objects if all_revisions or not one.needed_by]
    kept = [one for one in plan.objects if not all_revisions and one.needed_by]
    return sorted(gone, key=lambda one: (one.table, one.store, one.md5)), kept


def remove(objects: Sequence[Object], cache: Store, remote: Store | None, root: Path) -> None:
    """Remove objects from their stores, and what the run-cache remembers of them."""
    places = {store.name: store for store in (cache, remote) if store is not None}
    _forget({one.md5 for one in objects}, list(places.values()))
    for copy in (root / ".dvc" / "tmp" / "exemplars").glob("*"):
        copy.unlink()  # Copies of small files, from git: made again when asked for.
    for one in objects:
        places[one.store].remove(one.md5)


def _forget(hashes: Collection[str], stores: Sequence[Store]) -> None:
    """Run-cache entries that name a removed object would restore a stage to what is gone."""
    names = [one.encode("ascii") for one in hashes]
    for store in stores:
        for place in store.remembered():
            with store.fs.open(place, "rb") as file:
                data = file.read()
            if any(name in data for name in names):
                store.fs.remove(place)
