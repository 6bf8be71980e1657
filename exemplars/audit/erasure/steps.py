"""The steps of an erasure: plan, redact, purge."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from exemplars.audit.erasure.objects import Stores, open_stores
from exemplars.audit.erasure.plan import (
    HoldingObject,
    Plan,
    ShowProgress,
    find_erased_rows,
    find_remains,
    plan_erasure,
)
from exemplars.audit.erasure.purge import Redaction, divide_objects, redact_files, remove_objects
from exemplars.audit.erasure.receipt import build_receipt
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
    files: list[str]
    """The files that still hold what was erased."""
    objects: list[str]
    """The objects that still hold it, with those in `kept`."""
    receipt: Path
    """Relative to the project's root."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing holds it but the objects that were kept."""
        return len(self.files) + len(self.objects) == len(self.kept)


def hash_value(value: str) -> str:
    """Compute the keyed hash of a tombstone's value. Raises `UserError` if no key is set."""
    return hash_with_key(value, require_key(Erasures((), read_key(os.environ))))


@contextmanager
def open_erasure(root: Path, remote: str | None, show_progress: ShowProgress) -> Iterator[PlannedErasure]:
    """Plan the erasure that the tombstones name, and hold DVC's lock while the block runs.

    remote: the DVC remote; `None` for the default one. Raises `UserError` if there is no tombstone or no key,
    or if a source or a store cannot be read.
    """
    erasures = _read_tombstones()
    params = load_section("ingest", IngestParams)
    with open_stores(root, remote) as stores:
        matched = find_erased_rows(params, erasures, count_workers(0))
        plan = plan_erasure(root, matched, erasures, params, stores, show_progress)
        yield PlannedErasure(root, params, erasures, stores, plan)


def check_plan(plan: Plan, purging: bool) -> None:
    """Raise `UserError` if a tombstone matches no row, or if a purge would leave the outputs as they are."""
    if plan.unmatched:
        raise UserError([_report_unmatched(tombstone) for tombstone in plan.unmatched])
    if purging and plan.outputs:
        raise UserError([_report_outputs(plan)])


def redact(erasure: PlannedErasure) -> Redaction:
    """Redact the raw files."""
    return redact_files(erasure.root, erasure.plan.rows, erasure.params.sources, erasure.erasures)


def purge(erasure: PlannedErasure, redaction: Redaction, all_revisions: bool) -> Purge:
    """Remove the objects, search everything again, and write the receipt.

    all_revisions: also remove objects that other revisions need.
    """
    root, plan, stores = erasure.root, erasure.plan, erasure.stores
    removed, kept = divide_objects(plan, all_revisions)
    remove_objects(removed, stores, root)
    remains = find_remains(root, plan.terms, stores)
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    path = layout.REPORTS / "erasures" / f"{when.replace(':', '')}.json"
    write_json(root / path, build_receipt(plan, redaction, removed, kept, remains, when))
    return Purge(removed, kept, *remains, path)


def _read_tombstones() -> Erasures:
    erasures = read_erasures(os.environ)
    if not erasures.tombstones:
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
