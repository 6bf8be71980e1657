"""`exemplars diff`: the rows that changed between two revisions, without a checkout."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path
from typing import Any, Final

import msgspec

from exemplars.audit.revisions import WORKSPACE, check_project, open_revision
from exemplars.cli.parsers import Commands, command_parser
from exemplars.core.errors import run_main

_HELP: Final = """\
examples:
  exemplars diff                          the workspace against HEAD
  exemplars diff v1.0                     the same against a tag or commit
  exemplars diff v1.0 main --metrics      two revisions, and metrics that moved
  exemplars diff main --format markdown   for a pull request

exit status: 0 compared; 1 a revision is not to be had, or with --exit-code
rows differ; 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = command_parser(
        commands,
        "diff",
        short="compare the rows of two revisions",
        long="Tell the rows that two revisions, or a revision and the workspace, differ in.",
        examples=_HELP,
    )
    parser.add_argument("old", nargs="?", metavar="REV", default="HEAD", help="default: HEAD")
    parser.add_argument("new", nargs="?", metavar="REV", default=WORKSPACE, help=f"default: {WORKSPACE}")
    parser.add_argument(
        "--metrics",
        action="store_true",
        help="also the metrics that moved, and the changed rows in their slices",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "markdown"),
        default="text",
        help="text for people, markdown for pull requests, json for machines",
    )
    parser.add_argument(
        "--limit", type=int, default=20, help="the most rows of each kind in text and markdown (default: 20)"
    )
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 where rows differ")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what differs; answer the exit status."""
    told: dict[str, Any] = {}

    def show() -> None:
        check_project(Path())
        told.update(compare(arguments))
        print(_printed(told, arguments), end="")

    gc.disable()  # Many values without a cycle among them: collecting takes half of the time.
    status = run_main(show)
    gc.enable()
    return status or int(arguments.exit_code and any(told["counts"].values()))


def compare(arguments: argparse.Namespace) -> dict[str, Any]:
    """The document that all formats show. Raises `UserError`."""
    # Polars, which other commands do without.
    from exemplars.audit.lineage.comparison import as_document, compared
    from exemplars.audit.lineage.metrics import evaluation_of, moved_metrics

    old, new = (open_revision(Path(), name) for name in (arguments.old, arguments.new))
    evaluations = (evaluation_of(old), evaluation_of(new)) if arguments.metrics else None
    found = compared(old, new)
    told = as_document(found, None if arguments.format == "json" else max(arguments.limit, 1))
    if evaluations is not None:
        told["metrics"] = moved_metrics(*evaluations, found.changes)
    return told


def _printed(told: dict[str, Any], arguments: argparse.Namespace) -> str:
    from exemplars.audit.lineage.diff_markdown import diff_markdown
    from exemplars.audit.lineage.diff_text import diff_text

    if arguments.format == "json":
        return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"
    write = diff_markdown if arguments.format == "markdown" else diff_text
    return write(told, max(arguments.limit, 1))
