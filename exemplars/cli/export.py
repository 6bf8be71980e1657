"""`exemplars export`: write the rendered rows in the format that another trainer reads."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.cli.project import parse_path
from exemplars.core.errors import run_main
from exemplars.core.files import write_bytes
from exemplars.core.ids import SPLITS
from exemplars.export.formats import FORMATS, OPENCUI

_HELP: Final = """\
examples:
  exemplars export --format openai > train.jsonl
  exemplars export --format trl --split validation --output validation.jsonl
  exemplars export --format opendu --output exemplars.json

openai, trl, alpaca, sharegpt, xlam and bfcl are JSONL: one line for each
row of the view `call` that `dvc repro render` made. opendu is one JSON document
with the templates of the split. All but trl and opendu have a key `exemplars`,
by which `ingest` reads a row back as it was; --no-labels leaves it out.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "export",
        short="write the rendered rows in the format of another trainer",
        long="Write the rendered rows of a split in the format that another trainer reads.",
        examples=_HELP,
    )
    parser.add_argument("--format", choices=(*FORMATS, OPENCUI), required=True, help="the format to write")
    parser.add_argument("--split", choices=SPLITS, default="train", help="default: train")
    parser.add_argument("--no-labels", action="store_true", help="leave out the key `exemplars`")
    parser.add_argument("--output", metavar="FILE", type=parse_path, help="default: standard output")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the rows, and return the exit status."""

    def write() -> None:
        # Imported here: pyarrow would slow down every other command.
        from exemplars.export.split_export import encode_split

        data = encode_split(arguments.split, arguments.format, has_labels=not arguments.no_labels)
        if arguments.output is None:
            sys.stdout.buffer.write(data)
        else:
            write_bytes(arguments.output, data)

    return run_main(write)
