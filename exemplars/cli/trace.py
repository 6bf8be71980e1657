"""`exemplars trace`: from a row to its source and its runs, and from a source or a run to its rows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import msgspec

from exemplars.audit.revisions import WORKSPACE, check_project, open_revision
from exemplars.cli.parsers import Commands, add_format, command_parser
from exemplars.core.errors import run_main

_HELP: Final = """\
examples:
  exemplars trace 'skills:weather.md#11'           a row: line, decisions, runs
  exemplars trace 0eb9c2                           all rows with this digest
  exemplars trace data/raw/skills/weather.md:12    what became of a line, a file
  exemplars trace sgd:train/1_00000                what became of a dialogue
  exemplars trace lora-2a49fb6a1c22-84ec62edd099   what a run was made of
  exemplars trace 'skills:weather.md#11' --rev v1  at a tag, branch or commit

exit status: 0 found; 1 not found, ambiguous, or a table is not to be had;
2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = command_parser(
        commands,
        "trace",
        short="follow a row to its source line and its runs, or back",
        long="Follow a row to its source and its runs; a file, dialogue or run to its rows.",
        examples=_HELP,
    )
    parser.add_argument(
        "what",
        metavar="WHAT",
        help="an exemplar's id, a digest, a run, a dialogue, or a file[:LINE|#POINTER]",
    )
    parser.add_argument("--rev", default=WORKSPACE, help=f"a revision of git (default: {WORKSPACE})")
    add_format(parser)
    parser.add_argument("--limit", type=int, default=50, help="the most rows that text shows (default: 50)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what is known; answer the exit status."""

    def show() -> None:
        # Polars, which other commands do without.
        from exemplars.audit.lineage.row_trace import traced
        from exemplars.audit.lineage.targets import find_subject
        from exemplars.audit.lineage.trace_text import trace_text

        check_project(Path())
        revision = open_revision(Path(), arguments.rev)
        told = traced(revision, find_subject(revision, arguments.what))
        if arguments.format == "json":
            print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        else:
            print(trace_text(told, max(arguments.limit, 1)), end="")

    return run_main(show)
