"""`exemplars verify`: every hash of the chain, and every sum, made anew."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path
from typing import Any, Final

import msgspec

from exemplars.audit.revisions import WORKSPACE, open_revision
from exemplars.audit.verification.checks import Check
from exemplars.cli.parsers import Commands, add_format, command_parser
from exemplars.core.errors import run_main

_HELP: Final = """\
examples:
  exemplars verify                       raw files, tables, splits, run, reports
  exemplars verify --rev HEAD~1          the same of a commit, from git and DVC's cache
  exemplars verify --history             and manifests and cached objects of all commits
  exemplars verify --format json | jq .  for machines

exit status: 0 all well, 1 something found, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = command_parser(
        commands,
        "verify",
        short="recompute every hash from raw files to reports, and every sum",
        long="Recompute every hash from raw files to reports, and every conservation sum.",
        examples=_HELP,
    )
    add_format(parser)
    parser.add_argument(
        "--rev", default=WORKSPACE, metavar="REV", help=f"a commit, branch or tag (default {WORKSPACE})"
    )
    parser.add_argument(
        "--history", action="store_true", help="look at the manifests and objects of all commits too"
    )
    parser.add_argument(
        "--fetch", action="store_true", help="bring what DVC's cache lacks from the remote first"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Look at the chain and print what is wrong; answer the exit status."""
    found: list[Check] = []

    def show() -> None:
        found.extend(checks_of(Path(), arguments.rev, arguments.history, arguments.fetch))
        if arguments.format == "json":
            document = as_document(arguments.rev, found)
            print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
            return
        print(as_text(arguments.rev, found), end="")

    status = run_main(show)
    return status or int(any(one.problems for one in found))


def checks_of(root: Path, rev: str, history: bool, fetching: bool) -> list[Check]:
    """All checks of a revision; with history those of all commits too. Raises `UserError`."""
    from exemplars.audit.verification.verification import laid_out, verify
    from exemplars.core.tables import prevent_pandas_import

    prevent_pandas_import()
    gc.disable()  # A hundred thousand rows without a cycle among them.
    try:
        revision = open_revision(root, rev)
        with laid_out(revision, fetching) as files:
            checks = verify(revision, files)
        if history:
            from exemplars.audit.verification.history_check import check_past

            checks += check_past(root, fetching)
    finally:
        gc.enable()
    return checks


def as_text(revision: str, checks: list[Check]) -> str:
    """A line a check, then a line a problem, then a sentence."""
    lines = [f"the chain of {revision}, against its dvc.lock"]
    for one in checks:
        state = f"{len(one.problems):,} found" if one.problems else "ok"
        lines.append(f"  {one.name:<9}{one.counted:<58} {state}")
        lines += [f"  {'':<9}({note})" for note in one.notes]
    problems = [problem for one in checks for problem in one.problems]
    lines += [str(problem) for problem in problems]
    lines.append(f"{len(problems):,} problem(s)" if problems else "all well")
    return "\n".join(lines) + "\n"


def as_document(revision: str, checks: list[Check]) -> dict[str, Any]:
    """The same as one JSON object."""
    return {
        "revision": revision,
        "problems": sum(len(one.problems) for one in checks),
        "checks": [
            {
                "name": one.name,
                "counted": one.counted,
                "problems": [
                    {
                        "path": it.path,
                        "code": it.code,
                        "found": it.found,
                        "expected": it.expected,
                        "fix": it.fix,
                    }
                    for it in one.problems
                ],
                "notes": list(one.notes),
            }
            for one in checks
        ],
    }
