"""`exemplars verify`: recompute every hash and every row count of the chain."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from exemplars.audit.revisions import WORKSPACE
from exemplars.audit.verification.checks import Check
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.cli.project import parse_path
from exemplars.core.errors import run_main
from exemplars.core.terminal import escape_line, print_text

_SWITCHES: Final = {
    "--history": "also check the manifests and objects of all commits",
    "--fetch": "fetch missing objects from the DVC remote first",
    "--data": "check raw files, records, exemplars and splits alone, after `dvc repro validate`: no model is needed",
}
RECOMPUTE: Final = ("none", "fast", "all")
_HELP: Final = """\
examples:
  exemplars verify                       the files in the workspace
  exemplars verify --rev HEAD~1          a commit, from git and DVC's cache
  exemplars verify --history             manifests and objects of all commits
  exemplars verify --recompute           run the slower stages again, too
  exemplars verify --data                raw files to splits, for CI
  exemplars verify --attestation attestation.json --key key.pub
  exemplars verify --format json | jq .  JSON for programs

exit status: 0 no problems, 1 problems found, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "verify",
        short="recompute hashes, row counts and outputs, from raw files to reports",
        long="Recompute hashes, row counts and outputs, from raw files to reports.",
        examples=_HELP,
    )
    add_format(parser)
    parser.add_argument(
        "--rev", default=WORKSPACE, metavar="REV", help=f"a commit, branch or tag (default: {WORKSPACE})"
    )
    for name, text in _SWITCHES.items():
        parser.add_argument(name, action="store_true", help=text)
    parser.add_argument(
        "--recompute",
        nargs="?",
        choices=RECOMPUTE,
        const="all",
        default="fast",
        help="run stages again on their recorded inputs, and compare: none, fast (ingest, compile and split, and "
        "the figures of the evaluation; the default), or all (except training and the answers of models)",
    )
    parser.add_argument(
        "--attestation",
        type=parse_path,
        metavar="FILE",
        help="compare with a statement that `exemplars attest` signed",
    )
    parser.add_argument(
        "--key", type=parse_path, metavar="FILE", help="the public key of the person who signed it"
    )
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the checks, print the problems, and return the exit status."""
    if (arguments.attestation is None) is not (arguments.key is None):
        arguments.parser.error("--attestation and --key go together")
    if arguments.data and (arguments.attestation is not None or arguments.history):
        arguments.parser.error("--data leaves out what --attestation and --history check")
    checks: list[Check] = []

    def verify() -> None:
        # Imported here: pyarrow would slow down every other command.
        from exemplars.audit.attestation import open_attestation
        from exemplars.audit.verification.recomputation import Recompute
        from exemplars.audit.verification.verification import run_checks

        attestation = None
        if arguments.attestation is not None:
            attestation = open_attestation(arguments.attestation, arguments.key)
        recompute = Recompute(arguments.recompute)
        checks.extend(
            run_checks(
                Path(),
                arguments.rev,
                arguments.history,
                arguments.fetch,
                recompute,
                attestation,
                arguments.data,
            )
        )
        if arguments.format == "json":
            print_json(build_document(arguments.rev, checks))
        else:
            print_text(format_checks(arguments.rev, checks))

    status = run_main(verify)
    return status or int(any(check.problems for check in checks))


def format_checks(revision: str, checks: Sequence[Check]) -> str:
    """Format one line per check, one per problem, and a last line with the number of problems."""
    lines = [f"verifying {revision} against its dvc.lock"]
    for check in checks:
        result = f"{len(check.problems):,} found" if check.problems else "ok"
        lines.append(f"  {check.name:<13}{check.counted:<54} {result}")
        lines += [f"  {'':<13}({note})" for note in check.notes]
    problems = [problem for check in checks for problem in check.problems]
    lines += [str(problem) for problem in problems]
    lines.append(f"{len(problems):,} problem(s)" if problems else "no problems")
    return "\n".join(map(escape_line, lines)) + "\n"


def build_document(revision: str, checks: Sequence[Check]) -> dict[str, Any]:
    """Build the JSON document of the checks."""
    return {
        "revision": revision,
        "problems": sum(len(check.problems) for check in checks),
        "checks": [
            {
                "name": check.name,
                "counted": check.counted,
                "problems": [
                    {key: getattr(problem, key) for key in ("path", "code", "found", "expected", "fix")}
                    for problem in check.problems
                ],
                "notes": list(check.notes),
            }
            for check in checks
        ],
    }
