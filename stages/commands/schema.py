"""`exemplars schema`: the contract of a FullExemplar as JSON Schema, made from the code."""

from __future__ import annotations

import argparse

import msgspec

from stages.core.records import Exemplar

_HELP = """\
example:
  exemplars schema > schemas/full_exemplar.schema.json
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to `exemplars`."""
    parser = commands.add_parser(
        "schema",
        help="print the JSON Schema of a FullExemplar",
        description="Print the JSON Schema of a FullExemplar, as schemas/full_exemplar.schema.json has it.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the schema; answer the exit status."""
    print(full_exemplar_schema(), end="")
    return 0


def full_exemplar_schema() -> str:
    """JSON Schema 2020-12 of one row, indented, with one last newline."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Exemplar)), indent=2).decode() + "\n"
