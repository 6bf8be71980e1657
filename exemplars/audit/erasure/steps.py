"""The steps of `exemplars erase`: plan, redact, purge."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from exemplars.audit.erasure.objects import Store, stores
from exemplars.audit.erasure.plan import Plan, find_rows, plan_of, remaining
from exemplars.audit.erasure.purge import redact, removable, remove
from exemplars.audit.erasure.receipt import plan_document, plan_text, receipt_of
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import write_json
from exemplars.core.params import load_section
from exemplars.core.workers import count_workers
from stages.ingest.erasure import read_erasures
from stages.ingest.params import IngestParams
from stages.ingest.tombstones import Erasures, erasure_key, keyed_hash, needed_key


def hash_of_input() -> int:
    """Print the keyed hash of the value on standard input; answer the exit status."""
    key = needed_key(Erasures((), erasure_key(os.environ)))
    print(keyed_hash(sys.stdin.read(), key))
    return 0


def erase(root: Path, arguments: argparse.Namespace) -> int:
    """Do the step that the arguments name; answer the exit status. Raises `UserError`."""
    erasures = _erasures()
    params = load_section("ingest", IngestParams)
    with stores(root, arguments.remote) as (cache, remote):
        found = find_rows(params, erasures, count_workers(0))
        plan = plan_of(root, found, erasures, params, cache, remote, _shown)
        if arguments.plan:
            _print_plan(plan, arguments.format)
            return 1 if plan.unmatched else 0
        if plan.unmatched:
            raise UserError([_meaningless(name) for name in plan.unmatched])
        if arguments.purge and plan.outputs:
            raise UserError([_not_reproduced(plan)])
        _confirm(plan, arguments)
        redacted, by_hand = redact(root, plan.rows, dict(params.sources), erasures)
        for one in redacted:
            print(f"{one.path}: {one.rows} redacted")
        for file in by_hand:
            print(f"{file}: to be edited by hand")
        if arguments.redact:
            print("now run `dvc repro`, commit, then `exemplars erase --purge`")
            return 1 if by_hand else 0
        return _purge(root, plan, cache, remote, redacted, by_hand, arguments.all_revisions)


def _purge(
    root: Path,
    plan: Plan,
    cache: Store,
    remote: Store | None,
    redacted: Sequence[Any],
    by_hand: Sequence[str],
    all_revisions: bool,
) -> int:
    gone, kept = removable(plan, all_revisions)
    remove(gone, cache, remote, root)
    left = remaining(root, plan.wanted, cache, remote)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    path = layout.REPORTS / "erasures" / f"{now.replace(':', '')}.json"
    write_json(root / path, receipt_of(plan, redacted, by_hand, gone, kept, left, now))
    print(f"removed {len(gone)} objects, kept {len(kept)} that other revisions need")
    print(f"still found in {len(left[0])} files and {len(left[1])} objects")
    if plan.runs:
        print(f"train anew: {', '.join(plan.runs)}")
    if redacted:
        print("the raw files have changed: run `dvc repro`")
    print(f"receipt: {path}")
    unexpected = len(left[0]) + len(left[1]) - len(kept)
    return 1 if unexpected or by_hand else 0


def _erasures() -> Erasures:
    erasures = read_erasures(os.environ)
    if not erasures.tombstones:
        raise UserError(
            [
                Diagnostic(
                    path=str(layout.ERASURES),
                    code="no_tombstone",
                    found="no tombstone",
                    expected="at least one",
                    fix="write one; `exemplars erase --help` shows how",
                )
            ]
        )
    needed_key(erasures)
    return erasures


def _print_plan(plan: Plan, form: str) -> None:
    if form == "json":
        print(msgspec.json.format(msgspec.json.encode(plan_document(plan)), indent=2).decode())
    else:
        print(plan_text(plan), end="")


def _confirm(plan: Plan, arguments: argparse.Namespace) -> None:
    """Ask, unless told not to. Raises `UserError` where nobody can answer, or the answer is no."""
    if arguments.yes:
        return
    for name, source in plan.whole_sources:
        print(f"the tombstone {name} means ALL rows of the source {source}")
    print(plan_text(plan), end="")
    answer = input("Erase it? Type yes: ") if sys.stdin.isatty() else "nobody to ask"
    if answer != "yes":
        raise UserError(
            [
                Diagnostic(
                    path="exemplars erase",
                    code="not_confirmed",
                    found=answer or "no answer",
                    expected="yes",
                    fix="nothing was changed; look at the plan, then answer yes, or give --yes",
                )
            ]
        )


def _meaningless(name: str) -> Diagnostic:
    return Diagnostic(
        path=f"{layout.ERASURES}, tombstone {name}",
        code="tombstone_without_match",
        found="no row that it means",
        expected="at least one",
        fix="correct or remove it; `exemplars erase --plan` shows what the others mean",
    )


def _not_reproduced(plan: Plan) -> Diagnostic:
    return Diagnostic(
        path=plan.outputs[0],
        code="not_reproduced",
        found=f"what is to be erased, in {len(plan.outputs)} output(s)",
        expected="outputs without it",
        fix="run `dvc repro`, then purge; nothing was changed",
    )


def _shown(names: Sequence[str], title: str) -> Iterable[str]:
    if not sys.stderr.isatty():
        return names
    from tqdm import tqdm

    shown: Iterable[str] = tqdm(names, desc=title, leave=False, ncols=79)
    return shown
