"""`exemplars compare`: the answers of a model at two revisions, row by row, without a checkout."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from exemplars.audit.revisions import WORKSPACE, open_revision
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command
from exemplars.core.conditions import HEADLINE, Condition
from exemplars.core.errors import run_main
from exemplars.core.terminal import print_text

_EXAMPLES: Final = """\
examples:
  exemplars compare                         HEAD and the workspace
  exemplars compare v1.0 main               two tags, branches or commits
  exemplars compare --system lora           a system other than the reference
  exemplars compare --condition oracle      with the right tools shown
  exemplars compare main --format markdown  for a pull request

A difference moved if its 95 % interval (paired bootstrap by group) excludes 0.
Answers are read from DVC's cache, and scored again; no model is run.

exit status: 0 compared; 1 a revision was not evaluated, or its answers are
neither in the cache nor in the remote (`dvc pull`); 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "compare",
        short="compare the evaluated models of two revisions",
        long="Show which figures, slices and answers differ between the models that two\n"
        "revisions evaluated, over the test rows that both answered.",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "old", nargs="?", metavar="REV", default="HEAD", help="older revision (default: HEAD)"
    )
    parser.add_argument(
        "new", nargs="?", metavar="REV", default=WORKSPACE, help=f"newer revision (default: the {WORKSPACE})"
    )
    parser.add_argument(
        "--system", metavar="NAME", help="system to compare (default: evaluate.reference of the newer)"
    )
    parser.add_argument(
        "--condition",
        choices=tuple(Condition),
        default=HEADLINE,
        help=f"what systems choose among (default: {HEADLINE})",
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
        default=10,
        metavar="N",
        help="show N rows of each kind at most in text and Markdown (default: 10)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; return the exit status."""
    return run_main(lambda: _print_document(_build_document(arguments), arguments))


def _build_document(arguments: argparse.Namespace) -> dict[str, Any]:
    # These import Polars and SciPy, which most commands do not need.
    from exemplars.audit.comparison.evaluated_revision import read_evaluated_revision
    from exemplars.audit.comparison.evaluation_comparison import compare_evaluations

    condition = Condition(arguments.condition)
    old, new = (
        read_evaluated_revision(open_revision(Path(), name), condition)
        for name in (arguments.old, arguments.new)
    )
    return compare_evaluations(old, new, arguments.system)


def _print_document(document: dict[str, Any], arguments: argparse.Namespace) -> None:
    from exemplars.audit.comparison.compare_markdown import format_compare_markdown
    from exemplars.audit.comparison.compare_text import format_compare_text

    if arguments.format == "json":
        print_json(document)
    else:
        is_text = arguments.format == "text"
        format_document = format_compare_text if is_text else format_compare_markdown
        print_text(format_document(document, max(arguments.limit, 1)))
