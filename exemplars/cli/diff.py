"""`exemplars diff`: the rows that changed between two revisions, without a checkout."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path
from typing import Any, Final

from exemplars.audit.revisions import WORKSPACE, open_revision
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command
from exemplars.core.errors import run_main
from exemplars.core.terminal import print_errors, print_text

_EXAMPLES: Final = """\
examples:
  exemplars diff                          HEAD and the workspace
  exemplars diff v1.0                     a tag or commit, and the workspace
  exemplars diff v1.0 main --metrics      two revisions, and metrics that moved
  exemplars diff main --format markdown   for a pull request

exit status: 0 compared; 1 a revision is unavailable, or with --exit-code
rows differ; 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "diff",
        short="compare the rows of two revisions",
        long="Show the rows that differ between two revisions, or between a revision\nand the workspace.",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "old", nargs="?", metavar="REV", default="HEAD", help="older revision (default: HEAD)"
    )
    parser.add_argument(
        "new", nargs="?", metavar="REV", default=WORKSPACE, help=f"newer revision (default: the {WORKSPACE})"
    )
    parser.add_argument(
        "--metrics",
        action="store_true",
        help="show the metrics that moved, too, and the changed rows in their slices",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "markdown"),
        default="text",
        help="text for people (default), markdown for pull requests, json for programs",
    )
    parser.add_argument(
        "--limit",
        type=int,
        default=20,
        metavar="N",
        help="show N rows of each kind at most in text and Markdown (default: 20)",
    )
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if rows differ")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what differs; return the exit status."""
    document: dict[str, Any] = {}

    def show() -> None:
        document.update(_build_document(arguments))
        _print_document(document, arguments)

    gc.disable()  # A large document has no cycles, and collecting would take half of the time.
    status = run_main(show)
    gc.enable()
    return status or int(arguments.exit_code and any(document["counts"].values()))


def _build_document(arguments: argparse.Namespace) -> dict[str, Any]:
    # These import Polars, which most commands do not need.
    from exemplars.audit.lineage.comparison import build_diff, compare_revisions, count_stale_rows
    from exemplars.audit.lineage.metrics import find_moved_metrics, read_evaluation

    old, new = (open_revision(Path(), name) for name in (arguments.old, arguments.new))
    evaluations = (read_evaluation(old), read_evaluation(new)) if arguments.metrics else None
    comparison = compare_revisions(old, new)
    if stale := count_stale_rows(new):
        print_errors(
            [
                f"warning: splits of {arguments.new} are older than its ledger: {stale:,} rejected rows are still in"
                " them; run `dvc repro validate`, then compare"
            ]
        )
    document = build_diff(comparison, None if arguments.format == "json" else max(arguments.limit, 1))
    if evaluations is not None:
        document["metrics"] = find_moved_metrics(*evaluations, comparison.changes)
    return document


def _print_document(document: dict[str, Any], arguments: argparse.Namespace) -> None:
    from exemplars.audit.lineage.diff_markdown import format_diff_markdown
    from exemplars.audit.lineage.diff_text import format_diff_text

    if arguments.format == "json":
        print_json(document)
    else:
        format_diff = format_diff_markdown if arguments.format == "markdown" else format_diff_text
        print_text(format_diff(document, max(arguments.limit, 1)))
