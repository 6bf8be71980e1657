"""`exemplars serve-check`: whether a merged model is asked by the prompts of its training."""

from __future__ import annotations

import argparse
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.cli.project import parse_path
from exemplars.core.errors import UserError, run_main
from exemplars.core.terminal import print_line

_HELP: Final = """\
examples:
  exemplars serve-check                       models/lora/merged
  exemplars serve-check full --folder out     a different recipe and folder

Each row of data/training is given to the folder's own chat template, as a
program does that serves it: the turns as messages, the tools as `tools`. The
exit status is 1 if a token differs from what training saw.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "serve-check",
        short="compare a merged model's prompts with those of training",
        long="Compare the prompts that a merged model's own chat template builds with the\n"
        "tokens that training saw, and name the first difference.",
        examples=_HELP,
    )
    parser.add_argument("recipe", nargs="?", default="lora", metavar="RECIPE", help="default: lora")
    parser.add_argument("--folder", type=parse_path, metavar="FOLDER", help="default: models/RECIPE/merged")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare, print the result, and return the exit status."""

    def compare() -> None:
        # Imported here: pyarrow would slow down every other command.
        from exemplars.export.prompt_check import check_folder, describe_difference
        from exemplars.models.library_messages import suppress_library_messages

        suppress_library_messages()
        check = check_folder(arguments.recipe, arguments.folder)
        if check.difference is not None:
            raise UserError([describe_difference(check, check.difference)])
        skipped = f"; {check.skipped:,} of other views are not compared" if check.skipped else ""
        print_line(f"{check.folder}: {check.checked:,} prompts are those of training, byte by byte{skipped}")

    return run_main(compare)
