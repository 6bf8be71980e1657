"""`exemplars preferences mine`: pairs from a model's own errors on rows that it was not trained on."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from exemplars.cli.output import print_json
from exemplars.cli.parsers import add_format
from exemplars.core import layout
from exemplars.core.errors import report_errors
from exemplars.core.terminal import print_errors, print_line

if TYPE_CHECKING:
    from exemplars.preferences.fold_models import FoldErrors

_LONG: Final = """\
Train a model on the other folds of the train split, have it answer the rows of
its fold and a part of validation, and append the right answer against each
wrong one to data/raw/preferences.jsonl. After a kill, the same command goes on
where it was. Nothing is appended twice.
"""
_EXAMPLES: Final = """\
examples:
  exemplars preferences mine                          two folds, the recipe lora
  exemplars preferences mine --folds 5 --recipe full
  exemplars preferences mine --steps 60 --rows 300    a first look
"""


def add_action(actions: Any) -> None:
    """Add the action to `exemplars preferences`."""
    parser = actions.add_parser(
        "mine",
        help="append what a model gets wrong, out of fold",
        description=_LONG,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--folds", type=_parse_folds, default=2, metavar="N", help="the number of models (default: 2)"
    )
    parser.add_argument(
        "--recipe", default="lora", metavar="R", help="a recipe of params.yaml (default: lora)"
    )
    parser.add_argument(
        "--steps", type=_parse_count, metavar="N", help="of each training (default: of train.shared)"
    )
    parser.add_argument(
        "--rows", type=_parse_count, metavar="N", help="that each model answers, at most (default: all)"
    )
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Mine pairs, print what each model got wrong, and return the exit status."""

    def mine() -> int:
        # Imported here: torch would slow down every other command.
        from exemplars.models.library_messages import suppress_library_messages
        from exemplars.preferences.fold_models import MiningOptions, mine_errors

        suppress_library_messages()
        options = MiningOptions(arguments.recipe, arguments.folds, arguments.steps, arguments.rows)
        found = mine_errors(options, lambda line: print_errors([line]))
        if arguments.format == "json":
            print_json([fold._asdict() for fold in found])
        else:
            _print_errors(found)
        return 0

    return report_errors(mine)


def _print_errors(found: Sequence[FoldErrors]) -> None:
    kinds: Counter[str] = Counter()
    for fold in found:
        kinds.update(fold.kinds)
    answered, added = sum(fold.answered for fold in found), sum(fold.added for fold in found)
    for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0])):
        print_line(f"{count:>6,}  {kind}")
    print_line(
        f"{answered:,} answers, {sum(fold.pairs for fold in found):,} pairs, "
        f"{added:,} of them new in {layout.RAW_PREFERENCES.as_posix()}"
    )


def _parse_folds(text: str) -> int:
    """Parse a number of folds: at least two, of which one is answered."""
    number = _parse_count(text)
    if number < 2:
        raise argparse.ArgumentTypeError(f"found {text}, expected 2 or more folds")
    return number


def _parse_count(text: str) -> int:
    """Parse a number from 1."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 1")
    return number
