"""What the parsers of all commands share."""

from __future__ import annotations

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""The object that commands add their parsers to."""


def add_command(
    commands: Commands, name: str, *, short: str, long: str, examples: str
) -> argparse.ArgumentParser:
    """Add a command, and return its parser.

    short: its line in `exemplars --help`. long: the first paragraph of its own help. examples: the last one. Both are
    printed without wrapping: break lines before column 80. Commands run in the root of the project, so
    the type of a path is `parse_path`; set the default `needs_project` to `False` for one that runs anywhere, and
    `needs_lock` for one that works with a damaged `dvc.lock`, `in_root` for one that stays in the current folder.
    """
    parser = commands.add_parser(
        name,
        help=short,
        description=long,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(needs_project=True, needs_lock=True, in_root=True)
    return parser


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add the option `--format`, which is `text` or `json`."""
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="text for people (default), json for programs",
    )
