"""`exemplars erase`: erase what tombstones name, and search everything to prove that it is gone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.core.errors import Diagnostic, UserError, run_main
from exemplars.core.layout import ERASURES
from exemplars.core.terminal import print_line, print_text

if TYPE_CHECKING:
    from exemplars.audit.erasure.plan import Plan
    from exemplars.audit.erasure.steps import PlannedErasure
    from exemplars.audit.erasure.transaction import Redaction

_HELP: Final = """\
examples:
  exemplars erase --plan                    list what the tombstones affect
  exemplars erase --redact                  redact raw files; then `dvc repro`
  exemplars erase --purge                   remove it from cache and remote
  exemplars erase --purge --all-revisions   even what older revisions need
  echo -n "Ada Byron" | exemplars erase --hash   the keyed hash of a value

tombstones, one JSON object per line of data/raw/erasures.jsonl:
  {"id": "t1", "dialogue": "sgd:train/1_0", "reviewer": "Kim", "reason": "x"}
  or, instead of dialogue: "place", "value" (a keyed hash), "pattern"
The key of the hashes is read from the environment variable
EXEMPLARS_ERASURE_KEY.

exit status: 0 done, 1 something is left to do or went wrong, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "erase",
        short="erase what tombstones name, and write a receipt",
        long="Erase what the tombstones in data/raw/erasures.jsonl name.",
        examples=_HELP,
    )
    step = parser.add_mutually_exclusive_group(required=True)
    step.add_argument("--plan", action="store_true", help="list everything that is affected; change nothing")
    step.add_argument("--redact", action="store_true", help="redact the raw files")
    step.add_argument(
        "--purge", action="store_true", help="redact, remove objects, then search for what is left"
    )
    step.add_argument("--hash", action="store_true", help="print the keyed hash of the value on stdin")
    parser.add_argument("--remote", metavar="NAME", help="a DVC remote (default: the default remote)")
    parser.add_argument(
        "--all-revisions", action="store_true", help="also remove objects that other revisions need"
    )
    parser.add_argument(
        "--shared-cache-ok", action="store_true", help="purge even a cache that other clones may use"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the step that was asked for, and return the exit status."""
    status = 0

    def do_step() -> None:
        nonlocal status
        status = _print_hash() if arguments.hash else _erase(arguments)

    return run_main(do_step) or status


def _print_hash() -> int:
    from exemplars.audit.erasure.steps import hash_value

    print_line(hash_value(sys.stdin.read()))
    return 0


def _erase(arguments: argparse.Namespace) -> int:
    # Imported here: DVC and pyarrow would slow down every other command.
    from exemplars.audit.erasure.steps import check_plan, check_purge, open_erasure, redact

    with open_erasure(Path(), arguments.remote, _show_progress, read_only=arguments.plan) as erasure:
        if arguments.plan:
            _print_plan(erasure.plan, arguments.format)
            return 1 if erasure.plan.unmatched else 0
        check_plan(erasure.plan)
        if arguments.purge:
            check_purge(erasure, arguments.shared_cache_ok)
        if not arguments.yes:
            _confirm(erasure.plan)
        redaction = redact(erasure)
        for file in redaction.files:
            print_line(f"{file.path}: {file.rows} row(s) redacted")
        for path in redaction.by_hand:
            print_line(f"{path}: must be edited by hand")
        if erasure.plan.patterns:
            names = ", ".join(erasure.plan.patterns)
            print_line(
                f"{ERASURES}: git will keep the pattern of {names} as written; if it reveals what is erased,"
            )
            print_line("replace it by a `value` (`exemplars erase --hash`) before you commit")
        if arguments.redact:
            print_line("now run `dvc repro`, commit, and run `exemplars erase --purge`")
            return 1 if redaction.by_hand else 0
        return _purge(erasure, redaction, arguments.all_revisions)


def _purge(erasure: PlannedErasure, redaction: Redaction, all_revisions: bool) -> int:
    from exemplars.audit.erasure.steps import purge

    result = purge(erasure, redaction, all_revisions)
    print_line(f"removed {len(result.removed)} objects, kept {len(result.kept)} that other revisions need")
    print_line(f"still found in {len(result.remains.files)} files and {len(result.remains.objects)} objects")
    if erasure.plan.runs:
        print_line(f"retrain: {', '.join(erasure.plan.runs)}")
    if erasure.plan.unknown_runs:
        print_line(f"rows unavailable, possibly trained on it: {', '.join(erasure.plan.unknown_runs)}")
    if redaction.files:
        print_line("the raw files have changed: run `dvc repro`")
    print_line(f"receipt: {result.receipt}")
    return 0 if result.is_complete and not redaction.by_hand else 1


def _print_plan(plan: Plan, form: str) -> None:
    from exemplars.audit.erasure.receipt import build_plan_document, format_plan

    if form == "json":
        print_json(build_plan_document(plan))
    else:
        print_text(format_plan(plan))


def _confirm(plan: Plan) -> None:
    """Print the plan and ask. Raises `UserError` if the answer is not yes, or nobody can answer."""
    for tombstone, source in plan.whole_sources:
        print_line(f"tombstone {tombstone} matches ALL rows of the source {source}")
    _print_plan(plan, "text")
    can_ask = sys.stdin.isatty()
    answer = input("Erase it? Type yes: ") if can_ask else ""
    if answer != "yes":
        reason = f"the answer was {answer!r}" if can_ask else "standard input is not a terminal"
        raise UserError(
            [
                Diagnostic(
                    path="exemplars erase",
                    code="not_confirmed",
                    found=reason,
                    expected="yes",
                    fix="nothing was changed; check the plan, then answer yes, or pass --yes",
                    summary=f"the erasure was not confirmed: {reason}",
                )
            ]
        )


def _show_progress(names: Sequence[str], title: str) -> Iterable[str]:
    if not sys.stderr.isatty():
        return names
    from tqdm import tqdm

    progress: Iterable[str] = tqdm(names, desc=title, leave=False, ncols=79)
    return progress
