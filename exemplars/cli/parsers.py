"""What the parsers of all commands have alike."""

from __future__ import annotations

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What the parsers of commands are added to."""


def command_parser(
    commands: Commands, name: str, *, short: str, long: str, examples: str
) -> argparse.ArgumentParser:
    """The parser of a new command.

    short: its line in `exemplars --help`; long: the first paragraph of its own help; examples: the last,
    printed as it stands.
    """
    return commands.add_parser(
        name,
        help=short,
        description=long,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add `--format`."""
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people, json for machines"
    )
