"""`exemplars schema`: the contract of a FullExemplar as JSON Schema, made from the code."""

from __future__ import annotations

import argparse

import msgspec

from exemplars.cli.parsers import Commands, command_parser
from exemplars.core.records import Exemplar

_HELP = """\
example:
  exemplars schema > schemas/full_exemplar.schema.json
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = command_parser(
        commands,
        "schema",
        short="print the JSON Schema of a FullExemplar",
        long="Print the JSON Schema of a FullExemplar, as schemas/full_exemplar.schema.json has it.",
        examples=_HELP,
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the schema; answer the exit status."""
    print(full_exemplar_schema(), end="")
    return 0


def full_exemplar_schema() -> str:
    """JSON Schema 2020-12 of one row, indented, with one last newline."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Exemplar)), indent=2).decode() + "\n"
