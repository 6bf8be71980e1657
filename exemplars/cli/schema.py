"""`exemplars schema`: print the JSON Schema of a FullExemplar, generated from the record type."""

from __future__ import annotations

import argparse
from typing import Any, Final

import msgspec

from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command
from exemplars.core.records import ROW_VERSION, Exemplar

_HELP: Final = """\
example:
  exemplars schema > schemas/full_exemplar.schema.json
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "schema",
        short="print the JSON Schema of a FullExemplar",
        long="Print the JSON Schema of a FullExemplar, as in\nschemas/full_exemplar.schema.json.",
        examples=_HELP,
    )
    parser.set_defaults(run=run, needs_project=False)


def run(arguments: argparse.Namespace) -> int:
    """Print the schema, and return the exit status."""
    print_json(build_exemplar_schema())
    return 0


def build_exemplar_schema() -> dict[str, Any]:
    """Build the JSON Schema (2020-12) of one row."""
    return {"title": "FullExemplar", "x-version": ROW_VERSION, **msgspec.json.schema(Exemplar)}
