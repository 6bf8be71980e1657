"""`exemplars export`: the rendered rows in the form that another trainer reads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

import msgspec

from exemplars.cli.parsers import Commands, command_parser
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, run_main
from exemplars.core.files import write_bytes
from exemplars.export.formats import FORMATS, opendu

_HELP: Final = """\
examples:
  exemplars export --format openai > train.jsonl
  exemplars export --format trl --split validation --output validation.jsonl
  exemplars export --format opendu --output exemplars.json

openai, trl, alpaca, sharegpt, xlam and bfcl are JSONL, one row of the view `call` a line, as
`dvc repro render` made them; opendu is one JSON document of the split's templates.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = command_parser(
        commands,
        "export",
        short="write the rendered rows in the form of another trainer",
        long="Write the rendered rows of a split in the form that another trainer reads.",
        examples=_HELP,
    )
    parser.add_argument("--format", choices=(*FORMATS, "opendu"), required=True, help="the form to write")
    parser.add_argument(
        "--split", choices=("train", "validation", "test"), default="train", help="default: train"
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="default: standard output")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the rows; answer the exit status."""

    def write() -> None:
        data = exported(arguments.format, arguments.split)
        if arguments.output is None:
            sys.stdout.buffer.write(data)
        else:
            write_bytes(arguments.output, data)

    return run_main(write)


def exported(form: str, split: str) -> bytes:
    """The bytes of an export. Raises `UserError` where the split is not rendered yet."""
    from exemplars.core.schemas import EXEMPLAR_SCHEMA
    from exemplars.core.tables import read_table  # Arrow: lint does without.
    from exemplars.models.rows import TRAINING_SCHEMA

    if form == "opendu":
        rows = read_table(layout.split(split), EXEMPLAR_SCHEMA).to_pylist()
        return msgspec.json.format(msgspec.json.encode(opendu(rows)), indent=2) + b"\n"
    rows = read_table(layout.training(split), TRAINING_SCHEMA).to_pylist()
    calls = [{**row, "tools": msgspec.json.decode(row["tools"])} for row in rows if row["view"] == "call"]
    if rows and not calls:
        found = f"views {', '.join(sorted({str(row['view']) for row in rows}))}"
        raise UserError([_no_call(split, found)])
    return b"".join(msgspec.json.encode(FORMATS[form](row)) + b"\n" for row in calls)


def _no_call(split: str, found: str) -> Diagnostic:
    return Diagnostic(
        path=str(layout.training(split)),
        code="nothing_to_export",
        found=found,
        expected="rows of the view call",
        fix="name `call` in render.views, then `dvc repro render`",
    )
