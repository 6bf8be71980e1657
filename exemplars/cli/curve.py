"""`exemplars curve`: does more data still help? Trains on nested parts of the train split."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.core.errors import run_main
from exemplars.core.terminal import print_errors, print_text

if TYPE_CHECKING:
    from exemplars.audit.learning_curve import CurvePoint

SHARES: Final = (0.1, 0.25, 0.5, 1.0)
_HELP: Final = """\
examples:
  exemplars curve                      10, 25, 50 and 100 % of the train split
  exemplars curve --shares 0.5 1       only these two

The default trains on 1.85 times the rows of the split, and evaluates four
times. The results are reports/curve.json and a plot, reports/curve.svg. Smaller
parts are within larger ones (by stable hash). Each is trained and evaluated as
`dvc repro` does it, but in a temporary folder: the workspace does not change.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "curve",
        short="the learning curve: does more data still help?",
        long="Train on nested parts of the train split, and evaluate each.",
        examples=_HELP,
    )
    parser.add_argument(
        "--shares",
        type=float,
        nargs="+",
        default=list(SHARES),
        metavar="SHARE",
        help="shares of the train split, above 0 and up to 1 (default: 0.1 0.25 0.5 1)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure the curve, print it, and return the exit status."""

    def measure() -> None:
        # Imported here: pyarrow would slow down every other command.
        from exemplars.audit.learning_curve import measure_curve

        print_text(format_curve(measure_curve(arguments.shares, _print_progress)))

    return run_main(measure)


def format_curve(points: Sequence[CurvePoint]) -> str:
    """Format the curve as a table: one line for each point."""
    lines = [f"{'share':>6}{'exemplars':>11}{'tokens':>9}{'exact match':>13}   interval of 95 %"]
    lines += [
        f"{point.share:>6.0%}{point.exemplars:>11,}{point.tokens:>9,}{point.value:>13.3f}"
        f"   {point.low:.3f} to {point.high:.3f}"
        for point in points
    ]
    return "\n".join(lines) + "\n"


def _print_progress(share: float, exemplars: int, total: int) -> None:
    print_errors([f"{share:.0%}: {exemplars:,} of {total:,} exemplars"])
