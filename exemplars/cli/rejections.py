"""`exemplars rejections`: what was rejected, where, and how to fix it."""

from __future__ import annotations

import argparse
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import TYPE_CHECKING, Final

from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.core.errors import quote_text, run_main
from exemplars.core.terminal import escape_line, print_text

if TYPE_CHECKING:
    from exemplars.audit.review_list import ReviewRow
    from exemplars.core.records import Rejection

_WIDTH: Final = 80
_LIMIT: Final = 5
_EXAMPLES: Final = """\
examples:
  exemplars rejections                           what you can fix first
  exemplars rejections --reason value_not_found --limit 50
  exemplars rejections --source skills --stage compile
  exemplars rejections --review                  kept, but worth a look
  exemplars rejections --format json | jq .      all of them, for programs

The reasons are explained in docs/ledger.md.

exit status: 0 listed, 1 a ledger cannot be read, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "rejections",
        short="list what was rejected: where, why, how to fix it",
        long="List the rejected records of all stages: where, what, how to fix it.\n"
        "Those that you can fix come first.",
        examples=_EXAMPLES,
    )
    parser.add_argument("--reason", metavar="R", help="only this reason, such as value_not_found")
    parser.add_argument(
        "--review",
        action="store_true",
        help="list what curate keeps and puts on the review list instead (--reason: quality, conflict, ...)",
    )
    parser.add_argument("--source", metavar="S", help="only this source of ingest.sources")
    parser.add_argument(
        "--stage", choices=("ingest", "compile", "curate", "split", "render"), help="only this stage"
    )
    parser.add_argument(
        "--limit",
        type=int,
        metavar="N",
        help=f"show N rows of each reason at most (default: {_LIMIT}; json: all)",
    )
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List the rejections, and return the exit status."""

    def show() -> None:
        if arguments.review:
            _show_review(arguments)
            return
        # Imported here: pyarrow would slow down every other command.
        from exemplars.audit.rejections import Filter, describe_rejections, list_rejections

        rejections = list_rejections(Filter(arguments.reason, arguments.source, arguments.stage))
        if arguments.format == "json":
            limit = len(rejections) if arguments.limit is None else max(arguments.limit, 0)
            print_json([row for group in _group(rejections) for row in describe_rejections(group[:limit])])
        else:
            limit = _LIMIT if arguments.limit is None else max(arguments.limit, 1)
            print_text("\n".join(format_rejections(rejections, limit, arguments.reason)) + "\n")

    return run_main(show)


def _show_review(arguments: argparse.Namespace) -> None:
    from exemplars.audit.review_list import list_review_rows

    rows = list_review_rows(arguments.reason, arguments.source)
    if arguments.format == "json":
        print_json(rows if arguments.limit is None else rows[: max(arguments.limit, 0)])
    else:
        limit = _LIMIT if arguments.limit is None else max(arguments.limit, 1)
        print_text("\n".join(format_review(rows, limit)) + "\n")


def format_review(rows: Sequence[ReviewRow], limit: int) -> Iterator[str]:
    """Format rows to review as lines of at most 80 columns, but for long paths. limit: of rows of each kind."""
    counts = Counter(row.why for row in rows)
    kinds = ", ".join(f"{why} {count:,}" for why, count in sorted(counts.items()))
    yield from _wrap(f"{len(rows):,} to review: {kinds}" if rows else "nothing to review", "")
    for why, group in groupby(rows, key=lambda row: row.why):
        yield ""
        yield f"{why}: {counts[why]:,}"
        for row in islice(group, limit):
            place = ":".join(str(part) for part in (row.path, row.line, row.column) if part is not None)
            yield f"  {escape_line(place)}"
            yield from _wrap(f"{quote_text(row.utterance)}: {row.detail}", "    ")
        if counts[why] > limit:
            yield f"  … and {counts[why] - limit:,} more: --review --reason {why} --limit {counts[why]}"


def format_rejections(rejections: Sequence[Rejection], limit: int, reason: str | None) -> Iterator[str]:
    """Format rejections as lines of at most 80 columns, but for long paths.

    Those about which there is nothing to do are only counted, unless a reason is asked for.
    limit: of rows of each reason in each stage.
    """
    from exemplars.audit.rejections import count_by_remedy
    from exemplars.core.remedies import REMEDIES, Where

    if not rejections:
        yield "nothing is rejected"
        return
    counts = count_by_remedy(rejections)
    yield from _wrap(
        f"{len(rejections):,} rejected: {counts[Where.SOURCE]:,} to correct in a source, "
        f"{counts[Where.PARAMETERS]:,} by a parameter, {counts[Where.NOWHERE]:,} with nothing to do",
        "",
    )
    quiet = []
    for group in _group(rejections):
        remedy = REMEDIES[group[0].reason]
        if remedy.where is Where.NOWHERE and reason is None:
            quiet.append(f"{group[0].reason} ({group[0].stage}) {len(group):,}")
        else:
            yield ""
            yield from _format_group(group, limit)
    if quiet:
        yield ""
        yield from _wrap(f"nothing to do: {', '.join(quiet)}", "")


def _format_group(group: Sequence[Rejection], limit: int) -> Iterator[str]:
    from exemplars.audit.rejections import describe_rejections

    rows = describe_rejections(group[:limit])
    yield from _wrap(f"{rows[0].reason} ({rows[0].stage}): {len(group):,}; {rows[0].action}", "")
    for row in rows:
        place = ":".join(str(part) for part in (row.path, row.line, row.column) if part is not None)
        yield f"  {escape_line(place)}"
        yield from _wrap(row.message, "    ")
    if len(group) > limit:
        yield f"  … and {len(group) - limit:,} more: --reason {rows[0].reason} --limit {len(group)}"


def _group(rejections: Sequence[Rejection]) -> list[list[Rejection]]:
    """Group neighbors of the same reason and stage."""
    ordered = [list(rows) for _, rows in groupby(rejections, key=lambda row: row.reason)]
    groups: list[list[Rejection]] = []
    for rows in ordered:
        by_stage: dict[str, list[Rejection]] = {}
        for row in rows:
            by_stage.setdefault(row.stage, []).append(row)
        groups += by_stage.values()
    return groups


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        escape_line(text),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent or "  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
