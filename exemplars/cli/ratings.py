"""`exemplars ratings`: which system is better, by comparisons of their answers."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.core.errors import report_errors
from exemplars.core.terminal import print_text

if TYPE_CHECKING:
    from exemplars.core.bootstrap import Figure
    from stages.publish.system_ratings import Ratings

_WIDTH: Final = 80
_EXAMPLES: Final = """\
examples:
  exemplars ratings                 by the judgments of people
  exemplars ratings --by score      by right and wrong answers, without people
  exemplars ratings --format json

Bradley-Terry and Elo ratings, with 95 % intervals by the bootstrap over groups:
400 points are odds of 10 to 1, and 1,000 is the mean. Systems whose intervals
overlap may not differ.

exit status: 0 rated, 1 there is nothing to rate, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "ratings",
        short="rate systems by comparisons of their answers",
        long="Rate systems by comparisons of their answers to the same rows: those of people\n"
        "(`exemplars judge`), or of right and wrong answers.",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "--by", choices=("judge", "score"), default="judge", help="whose comparisons (default: judge)"
    )
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the ratings, and return the exit status."""

    def rate() -> int:
        # Imported here: pandas would slow down every other command.
        from exemplars.preferences.comparisons import rate_by_judgments, rate_by_scores

        ratings = rate_by_judgments() if arguments.by == "judge" else rate_by_scores()
        if arguments.format == "json":
            print_json(describe_ratings(ratings))
        else:
            print_text("\n".join(format_ratings(ratings, arguments.by)) + "\n")
        return 0 if ratings.systems else 1

    return report_errors(rate)


def describe_ratings(ratings: Ratings) -> dict[str, Any]:
    """Describe ratings for programs."""
    return {
        "comparisons": ratings.comparisons,
        "groups": ratings.groups,
        "systems": [
            {
                **rating._asdict(),
                "bradley_terry": rating.bradley_terry._asdict(),
                "elo": rating.elo and rating.elo._asdict(),
            }
            for rating in ratings.systems
        ],
        "warnings": list(ratings.warnings),
    }


def format_ratings(ratings: Ratings, basis: str) -> Iterator[str]:
    """Format ratings as a table of at most 80 columns, but for long names, the best first."""
    if not ratings.systems:
        how = "`exemplars judge` compares two" if basis == "judge" else "no two answered the same row"
        yield f"no comparisons of systems: {how}"
        return
    yield f"{ratings.comparisons:,} comparisons in {ratings.groups:,} groups"
    width = max(12, *(len(rating.system) for rating in ratings.systems))
    yield f"{'system':{width}}  {'Bradley-Terry':>20}  {'Elo':>20}   won lost tied"
    for rating in ratings.systems:
        elo = _format_figure(rating.elo)
        counts = f"{rating.wins:>5,}{rating.losses:>5,}{rating.ties:>5,}"
        yield f"{rating.system:{width}}  {_format_figure(rating.bradley_terry):>20}  {elo:>20} {counts}"
    for warning in ratings.warnings:
        yield from textwrap.wrap(f"warning: {warning}", _WIDTH, subsequent_indent="  ")


def _format_figure(figure: Figure | None) -> str:
    if figure is None or figure.value is None or figure.low is None or figure.high is None:
        return "-"
    return f"{figure.value:.0f} ({figure.low:.0f} to {figure.high:.0f})"
