"""The steps of an erasure: plan, redact, purge."""

from __future__ import annotations

import datetime
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from exemplars.audit.erasure.matched_rows import find_erased_rows
from exemplars.audit.erasure.objects import Stores, open_stores
from exemplars.audit.erasure.originals import find_originals, remove_originals
from exemplars.audit.erasure.plan import (
    HoldingObject,
    Plan,
    Remains,
    find_remains,
    plan_erasure,
)
from exemplars.audit.erasure.preference_redaction import redact_preferences
from exemplars.audit.erasure.purge import (
    begin_purge,
    divide_objects,
    read_unfinished,
    remove_journal,
    remove_objects,
    remove_partials,
)
from exemplars.audit.erasure.receipt import build_receipt
from exemplars.audit.erasure.review_redaction import redact_reviews
from exemplars.audit.erasure.source_copies import copy_sources
from exemplars.audit.erasure.table_reader import ShowProgress
from exemplars.audit.erasure.transaction import LogRedaction, Redaction, read_log, redact_files
from exemplars.audit.git_history import require_full_history
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import write_json
from exemplars.core.params import load_section
from exemplars.core.workers import count_workers
from stages.ingest.erasure import read_erasures
from stages.ingest.params import IngestParams
from stages.ingest.tombstones import Erasures, hash_with_key, read_key, require_key


class PlannedErasure(NamedTuple):
    """An erasure that was planned and may now be carried out."""

    root: Path
    params: IngestParams
    erasures: Erasures
    stores: Stores
    plan: Plan


class Purge(NamedTuple):
    """The result of a purge."""

    removed: list[HoldingObject]
    kept: list[HoldingObject]
    """The objects that other revisions need."""
    remains: Remains
    """What still holds it, with the objects in `kept`."""
    receipt: Path
    """Relative to the project's root."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing holds it but the objects that were kept."""
        kept = {f"{item.store} {item.md5}" for item in self.kept}
        return not self.remains.files and kept.issuperset(self.remains.objects)


def hash_value(value: str) -> str:
    """Compute the keyed hash of a tombstone's value. Raises `UserError` if no key is set."""
    return hash_with_key(value, require_key(Erasures((), read_key(os.environ))))


@contextmanager
def open_erasure(
    root: Path, remote: str | None, show_progress: ShowProgress, read_only: bool = False
) -> Iterator[PlannedErasure]:
    """Plan the erasure that the tombstones name, and hold DVC's lock while the block runs.

    remote: the DVC remote; `None` for the default one. read_only: leave the unfinished files of killed stages.
    Raises `UserError` if there is no tombstone or no key, if a source or a store cannot be read, and in a
    shallow clone.
    """
    require_full_history(root)
    params = load_section("ingest", IngestParams)
    originals = find_originals(params)
    erasures = _read_tombstones(required=not originals.are_purged)
    with open_stores(root, remote) as stores, copy_sources(params) as copies:
        if not read_only:
            remove_partials(root)
        matched = find_erased_rows(params, erasures, count_workers(0), copies)
        plan = plan_erasure(root, matched, erasures, params, stores, originals, show_progress)
        yield PlannedErasure(root, params, erasures, stores, plan)


def check_plan(plan: Plan) -> None:
    """Raise `UserError` if a tombstone matches no row."""
    if plan.unmatched:
        raise UserError([_report_unmatched(tombstone) for tombstone in plan.unmatched])


def check_purge(erasure: PlannedErasure, shared_cache_ok: bool) -> None:
    """Raise `UserError` if a purge would leave the outputs as they are, or could harm other clones.

    shared_cache_ok: whether a cache that other clones may use can be purged.
    """
    if erasure.plan.outputs:
        raise UserError([_report_outputs(erasure.plan)])
    if erasure.stores.shared and not shared_cache_ok:
        raise UserError([_report_shared_cache(erasure.stores.shared)])


def redact(erasure: PlannedErasure) -> Redaction:
    """Redact the raw files."""
    if not erasure.erasures.tombstones:
        return Redaction()
    plan = erasure.plan
    preferences = partial(redact_preferences, lines=plan.preferences)
    logs = (
        LogRedaction(layout.REVIEWS, len(plan.reviews), partial(redact_reviews, ids=plan.reviews)),
        LogRedaction(layout.RAW_PREFERENCES, len(plan.preferences), preferences),
    )
    return redact_files(erasure.root, plan.rows, logs, erasure.params.sources, erasure.erasures)


def purge(erasure: PlannedErasure, redaction: Redaction, all_revisions: bool) -> Purge:
    """Remove the objects, search everything again, and write the receipt.

    all_revisions: also remove objects that other revisions need.
    """
    root, plan, stores = erasure.root, erasure.plan, erasure.stores
    removed, kept = divide_objects(plan, all_revisions)
    unfinished = read_unfinished(root, stores)
    removed = begin_purge(root, removed, unfinished)
    kept = [
        item for item in kept if (item.store, item.md5) not in {(gone.store, gone.md5) for gone in removed}
    ]
    remove_objects(removed, stores, root)
    remove_originals(root, plan.originals)
    with copy_sources(erasure.params) as copies:  # Those of the plan were just removed, as all other copies.
        remains = find_remains(root, plan, copies, stores)
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    path = _choose_receipt(root, when)
    names = {row.tombstone.id for row in plan.rows if row.tombstone}
    redaction = redaction._replace(files=read_log(root, names))
    receipt = build_receipt(plan, redaction, removed, kept, remains, when)
    write_json(root / path, {**receipt, "continues_an_interrupted_purge": bool(unfinished)})
    remove_journal(root)
    return Purge(removed, kept, remains, path)


def _choose_receipt(root: Path, when: str) -> Path:
    """Choose a name that no receipt has: `<when>.json`, or `<when>-2.json` within the same second."""
    folder, stamp = layout.REPORTS / "erasures", when.replace(":", "")
    names = (f"{stamp}-{number}.json" if number > 1 else f"{stamp}.json" for number in itertools.count(1))
    return next(folder / name for name in names if not (root / folder / name).exists())


def _read_tombstones(required: bool) -> Erasures:
    erasures = read_erasures(os.environ)
    if not erasures.tombstones:
        if not required:
            return erasures
        raise UserError(
            [
                Diagnostic(
                    path=str(layout.ERASURES),
                    code="no_tombstone",
                    found="no tombstone",
                    expected="at least one",
                    fix="`exemplars erase --help` shows how to write one",
                )
            ]
        )
    require_key(erasures)
    return erasures


def _report_unmatched(tombstone: str) -> Diagnostic:
    return Diagnostic(
        path=str(layout.ERASURES),
        code="tombstone_without_match",
        found="no row that it matches",
        expected="at least one",
        fix="correct or remove it; `exemplars erase --plan` shows which rows the others match",
        summary=f"tombstone {tombstone} matches no row",
    )


def _report_outputs(plan: Plan) -> Diagnostic:
    return Diagnostic(
        path=plan.outputs[0],
        code="not_reproduced",
        found=f"what is to be erased, in {len(plan.outputs)} output(s)",
        expected="outputs without it",
        fix="run `dvc repro`, then purge; nothing was changed",
        summary=f"{len(plan.outputs)} output(s) still hold what is to be erased",
    )


def _report_shared_cache(reason: str) -> Diagnostic:
    return Diagnostic(
        path="DVC's cache",
        code="shared_cache",
        found=f"a shared cache: {reason}",
        expected="the cache of this clone alone",
        fix="make sure that no other clone needs them (after the same erasure there, `exemplars erase --plan` lists "
        "none), then add --shared-cache-ok; nothing was changed",
        summary=f"other clones may need objects that a purge removes from the cache, since {reason}",
    )
