"""`exemplars params`: print all parameters, with their values and comments."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command
from exemplars.cli.sections import load_section_types
from exemplars.core.errors import run_main
from exemplars.core.params import PATH, SECTIONS, load_section
from exemplars.core.terminal import print_text

_HELP: Final = """\
examples:
  exemplars params                      the parameters of this project
  exemplars params --section curate     those of one stage
  exemplars params --defaults           those that a project need not name
  exemplars params --format json | jq . key, value and comment, for programs
"""
_WITHOUT_DEFAULT: Final[Mapping[str, dict[str, Any]]] = {
    "ingest": {
        "sources": {"skills": {"format": "skills", "path": "data/raw/skills", "license": "CC-BY-4.0"}}
    },
    "publish": {"name": "hotel", "title": "Requests to a hotel", "released": "2026-01-31"},
}
"""Examples of the keys that every project names itself."""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "params",
        short="print all parameters, with their values and comments",
        long="Print all parameters of params.yaml, with their comments: the values of this\n"
        "project, and the defaults of all keys that its params.yaml does not name.",
        examples=_HELP,
    )
    parser.add_argument("--section", choices=SECTIONS, metavar="SECTION", help="one of the sections only")
    parser.add_argument(
        "--defaults", action="store_true", help="the defaults alone, with examples of keys that have none"
    )
    parser.add_argument(
        "--format",
        choices=("yaml", "json"),
        default="yaml",
        help="yaml, as in params.yaml (default), or json",
    )
    parser.set_defaults(run=run, needs_project=False)


def run(arguments: argparse.Namespace) -> int:
    """Print the parameters, and return the exit status."""

    def print_parameters() -> None:
        # Imported here: ast and inspect are not needed by other commands.
        from exemplars.core.parameter_docs import list_parameters, render_section

        types = load_section_types()
        names = [arguments.section] if arguments.section else list(SECTIONS)
        as_default = arguments.defaults or not PATH.exists()
        values = {
            name: load_defaults(name, types) if as_default else load_section(name, types[name])
            for name in names
        }
        if arguments.format == "json":
            print_json([entry for name, value in values.items() for entry in list_parameters(name, value)])
        else:
            print_text("\n".join(render_section(name, types[name], value) for name, value in values.items()))

    return run_main(print_parameters)


def load_defaults(name: str, types: Mapping[str, type[msgspec.Struct]]) -> msgspec.Struct:
    """Build a section of defaults, with examples of the keys that have none."""
    return msgspec.convert(_WITHOUT_DEFAULT.get(name, {}), types[name])
