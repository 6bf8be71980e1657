"""`exemplars trace`: from a row to its source and its runs, and from a source or a run to its rows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from exemplars.audit.revisions import WORKSPACE, open_revision
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.cli.project import parse_target
from exemplars.core.errors import run_main
from exemplars.core.terminal import print_text

_EXAMPLES: Final = """\
examples:
  exemplars trace 'skills:weather.md#11'           a row: line, decisions, runs
  exemplars trace 0eb9c2                           all rows with this digest
  exemplars trace data/raw/skills/weather.md:12    what became of a line
  exemplars trace data/raw/skills/weather.md       what became of a file
  exemplars trace sgd:train/1_00000                what became of a dialogue
  exemplars trace lora-2a49fb6a1c22-84ec62edd099   what a run was trained on
  exemplars trace 'skills:weather.md#11' --rev v1  at a tag, branch or commit

exit status: 0 found; 1 not found, ambiguous, or a table is unavailable;
2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "trace",
        short="follow a row to its source line and its runs, or back",
        long="Follow a row to its source and to the runs that were trained on it.\n"
        "List the rows of a file or dialogue. Show what a run was trained on.",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "target",
        type=parse_target,
        metavar="WHAT",
        help="the id of an exemplar, a digest (6 digits or more), a run, a dialogue, or FILE[:LINE|#POINTER]",
    )
    parser.add_argument(
        "--rev",
        default=WORKSPACE,
        metavar="REV",
        help=f"look at this commit, branch or tag (default: the {WORKSPACE})",
    )
    add_format(parser)
    parser.add_argument(
        "--limit", type=int, default=50, metavar="N", help="show N rows at most in text (default: 50)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what is known about the target; return the exit status."""

    def show() -> None:
        # These import Polars, which most commands do not need.
        from exemplars.audit.lineage.row_trace import build_trace
        from exemplars.audit.lineage.targets import resolve_target
        from exemplars.audit.lineage.trace_text import format_trace

        revision = open_revision(Path(), arguments.rev)
        document = build_trace(revision, resolve_target(revision, arguments.target))
        if arguments.format == "json":
            print_json(document)
        else:
            print_text(format_trace(document, max(arguments.limit, 1)))

    return run_main(show)
