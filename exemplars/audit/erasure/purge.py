"""Remove objects from DVC's cache and remote, so that a purge that was killed is finished by the next one."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from exemplars.audit.erasure.objects import Store, Stores
from exemplars.audit.erasure.plan import SEARCHED_FOLDERS, HoldingObject, Plan
from exemplars.audit.verification.sandbox import SANDBOXES
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_json, write_json

JOURNAL: Final = Path(".dvc/tmp/exemplars-purge.json")
"""The objects that an unfinished purge is about to remove, relative to the project's root.

Once some of them are gone, the erased texts may no longer be found in the others: no copy of the texts is kept.
"""


class JournalEntry(msgspec.Struct, frozen=True):
    """An object in the journal; see `HoldingObject`."""

    md5: str
    store: str
    paths: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()


def divide_objects(plan: Plan, all_revisions: bool) -> tuple[list[HoldingObject], list[HoldingObject]]:
    """Divide the objects of a plan into those to remove and those to keep, since other revisions need them."""
    removed = [item for item in plan.objects if all_revisions or not item.needed_by]
    kept = [item for item in plan.objects if not all_revisions and item.needed_by]
    return sorted(removed, key=lambda item: (item.store, item.md5)), kept


def read_unfinished(root: Path, stores: Stores) -> list[HoldingObject]:
    """Read from the journal what an unfinished purge was to remove; empty without one.

    Raises `UserError` if it was a purge of a different remote.
    """
    unfinished = _read_journal(root / JOURNAL)
    names = {store.name for store in stores.present}
    if others := {item.store for item in unfinished} - names:
        raise UserError([_report_other_store(sorted(others)[0])])
    return unfinished


def begin_purge(
    root: Path, objects: Iterable[HoldingObject], unfinished: Iterable[HoldingObject]
) -> list[HoldingObject]:
    """Write the journal, and return the objects to remove: the given ones, and those of an unfinished purge."""
    by_place = {(item.store, item.md5): item for item in (*unfinished, *objects)}
    merged = [item for _, item in sorted(by_place.items())]
    if merged:
        entries = [JournalEntry(item.md5, item.store, item.paths, item.needed_by) for item in merged]
        write_json(root / JOURNAL, entries)
    return merged


def remove_journal(root: Path) -> None:
    """Remove the journal: everything that it lists is gone."""
    (root / JOURNAL).unlink(missing_ok=True)


def remove_objects(objects: Sequence[HoldingObject], stores: Stores, root: Path) -> None:
    """Remove objects from their stores, and the entries of DVC's run-cache that name them."""
    by_name = {store.name: store for store in stores.present}
    _clean_run_cache({item.md5 for item in objects}, stores.present)
    # Copies of small files from git, what curate remembers, models of folds, requests of batches.
    shutil.rmtree(root / ".dvc" / "tmp" / "exemplars", ignore_errors=True)
    shutil.rmtree(root / SANDBOXES, ignore_errors=True)  # What a killed `exemplars verify` left.
    for item in objects:
        by_name[item.store].remove_object(item.md5)


def remove_partials(root: Path) -> None:
    """Remove the files that killed stages left unfinished; no stage may be running.

    They are parts of outputs or of raw files, and nothing else ever removes them.
    """
    for folder in SEARCHED_FOLDERS:
        for path in (root / folder).rglob(".*.partial"):
            if path.is_file():
                path.unlink()


def _read_journal(path: Path) -> list[HoldingObject]:
    if not path.exists():
        return []
    entries = read_json(
        path,
        list[JournalEntry],
        code="unfinished_purge",
        expected="the objects that an interrupted purge was to remove",
        fix="delete the file; objects that it named may then stay in the cache and the remote",
    )
    return [HoldingObject(entry.md5, entry.store, entry.paths, entry.needed_by) for entry in entries]


def _clean_run_cache(hashes: Collection[str], stores: Sequence[Store]) -> None:
    """Remove run-cache entries that name a removed object: DVC would restore a stage to outputs that are gone."""
    names = [md5.encode("ascii") for md5 in hashes]
    for store in stores:
        for place in store.list_run_cache():
            with store.fs.open(place, "rb") as file:
                data = file.read()
            if any(name in data for name in names):
                store.fs.remove(place)


def _report_other_store(name: str) -> Diagnostic:
    return Diagnostic(
        path=str(JOURNAL),
        code="unfinished_purge",
        found=f"an unfinished purge of {name}",
        expected="a purge of the same remote",
        fix="finish it with the same `--remote`; if that remote no longer exists, delete the file",
    )
