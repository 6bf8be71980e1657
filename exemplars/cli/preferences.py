"""`exemplars preferences`: add pairs of answers that other tools wrote, or that a model got wrong; take one back."""

from __future__ import annotations

import argparse
import datetime
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exemplars.cli import preferences_mine
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.cli.project import parse_path
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, report_errors
from exemplars.core.terminal import escape_line, print_line

if TYPE_CHECKING:
    from exemplars.preferences.conversion import Conversion

_EXAMPLES: Final = """\
examples:
  exemplars preferences add dpo.json --license CC-BY-4.0
  exemplars preferences add kto.jsonl --license MIT --dry-run
  exemplars preferences withdraw 2f1c0b9a7d6e4f518a3b2c1d0e9f8a7b
  exemplars preferences mine --folds 2 --recipe lora

The form is found item by item: prompt, chosen and rejected (text or messages);
conversations with chosen and rejected (ShareGPT); completions with a label
(KTO); input, preferred_output and non_preferred_output (OpenAI); lines of
data/raw/preferences.jsonl. The file is a JSON array, JSON lines or Parquet.

exit status: 0 all is there, 1 an item was left out, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "preferences",
        short="add pairs of answers of which one is better, for DPO and KTO",
        long="Add preferences of other tools to data/raw/preferences.jsonl, or take one back.",
        examples=_EXAMPLES,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="convert a file, and append what it has")
    add.add_argument("file", type=parse_path, metavar="FILE", help="a JSON array, JSON lines or Parquet")
    add.add_argument("--license", metavar="SPDX", help="of texts that come without one: CC-BY-4.0")
    add.add_argument("--dry-run", action="store_true", help="convert the file, and append nothing")
    add_format(add)
    add.set_defaults(run=run_add)
    withdraw = actions.add_parser("withdraw", help="append a line that takes a preference back")
    withdraw.add_argument("id", metavar="ID", help="the id of a line of data/raw/preferences.jsonl")
    withdraw.set_defaults(run=run_withdraw)
    preferences_mine.add_action(actions)


def run_add(arguments: argparse.Namespace) -> int:
    """Convert a file, append its preferences, print every item that was left out, and return the exit status."""

    def add() -> int:
        # Imported here: pyarrow would slow down every other command.
        from exemplars.core.files import read_file
        from exemplars.preferences.conversion import convert_file, drop_known
        from exemplars.preferences.preference_file import append_conversion, read_ids

        _check_license(arguments.license)
        file: Path = arguments.file
        conversion = convert_file(file.name, read_file(file), arguments.license)
        conversion = (
            drop_known(conversion, read_ids()) if arguments.dry_run else append_conversion(conversion)
        )
        if arguments.format == "json":
            print_json(_describe_conversion(conversion))
        else:
            _print_conversion(file.name, conversion, arguments.dry_run)
        return 1 if any(item.reason != "duplicate_record" for item in conversion.left_out) else 0

    return report_errors(add)


def run_withdraw(arguments: argparse.Namespace) -> int:
    """Take a preference back, and return the exit status."""

    def withdraw() -> int:
        from exemplars.preferences.preference_file import withdraw_pair

        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        withdraw_pair(arguments.id, uuid.uuid4().hex, now)
        print_line(f"{arguments.id} is withdrawn: `dvc repro` trains without it")
        return 0

    return report_errors(withdraw)


def _check_license(expression: str | None) -> None:
    from exemplars.core.licenses import find_license_mistake

    mistake = find_license_mistake(expression) if expression is not None else None
    if mistake is not None:
        found, fix = mistake
        expected = "an SPDX expression"
        raise UserError(
            [Diagnostic(path="--license", code="bad_license", found=found, expected=expected, fix=fix)]
        )


def _describe_conversion(conversion: Conversion) -> dict[str, object]:
    return {
        "items": len(conversion.pairs) + len(conversion.left_out),
        "added": len(conversion.pairs),
        "pairs": sum(pair.chosen is not None and pair.rejected is not None for pair in conversion.pairs),
        "labels": sum(pair.chosen is None or pair.rejected is None for pair in conversion.pairs),
        "left_out": [item._asdict() for item in conversion.left_out],
    }


def _print_conversion(name: str, conversion: Conversion, dry_run: bool) -> None:
    facts = _describe_conversion(conversion)
    verb = "would be added to" if dry_run else "added to"
    print_line(
        f"{name}: {facts['items']:,} items, {facts['added']:,} {verb} {layout.RAW_PREFERENCES.as_posix()} "
        f"({facts['pairs']:,} pairs, {facts['labels']:,} labels), {len(conversion.left_out):,} left out"
    )
    for item in conversion.left_out:
        print_line(escape_line(f"  {item.place}: {item.reason}: {item.message}"))
