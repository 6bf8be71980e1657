"""The `exemplars` command."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from exemplars.audit.revisions import WORKSPACE, check_lock
from exemplars.cli import (
    attest,
    call,
    catalog,
    check,
    compare,
    curve,
    data_docs,
    diff,
    docs,
    erase,
    estimate,
    export,
    generate,
    init,
    judge,
    lint,
    merge,
    params,
    plots_template,
    preferences,
    prove,
    ratings,
    recover,
    rejections,
    rename,
    review,
    runs,
    schema,
    serve,
    serve_check,
    trace,
    upgrade,
    verify,
)
from exemplars.cli.project import find_project, require_project
from exemplars.core.errors import report_errors, suggest_name

_COMMANDS: Final = (
    init,
    lint,
    check,
    rejections,
    rename,
    preferences,
    judge,
    ratings,
    catalog,
    params,
    schema,
    export,
    generate,
    review,
    runs,
    merge,
    call,
    serve,
    serve_check,
    prove,
    plots_template,
    curve,
    data_docs,
    estimate,
    recover,
    trace,
    diff,
    compare,
    verify,
    attest,
    erase,
    upgrade,
    docs,
)
"""In the order of the help."""
_NO_COMMAND: Final = re.compile(
    r"argument COMMAND: invalid choice: '(?P<name>.*?)' \(choose from (?P<names>.*)\)$"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 0 for success, 1 for problems, 2 for wrong usage."""
    arguments = build_parser().parse_args(argv)
    return report_errors(lambda: _run_in_project(arguments))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Print what is wrong, with a guess at a misspelled command, and exit with 2."""
        wrong = _NO_COMMAND.search(message)
        if wrong is not None:
            names = re.findall(r"'(.*?)'", wrong["names"])
            advice = suggest_name(wrong["name"], names) or "`exemplars --help` lists them"
            message = f"found no command {wrong['name']!r}; {advice}"
        super().error(message)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    parser = _Parser(
        prog="exemplars",
        description="Check, inspect, audit and export what `dvc repro` compiles and trains.",
        epilog="`exemplars COMMAND --help` shows the options of a command, with examples.",
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=argparse.ArgumentParser
    )
    for module in _COMMANDS:
        module.add_parser(commands)
    return parser


def _run_in_project(arguments: argparse.Namespace) -> int:
    """Run a command in the root of the project that the current folder is in.

    Raises `UserError` if the command needs a project, and no folder upwards is one, or its `dvc.lock` is damaged.
    """
    folder = Path.cwd()
    root = require_project(folder) if arguments.needs_project else find_project(folder) or folder
    if not arguments.in_root:
        root = folder
    needs_lock = arguments.needs_project and arguments.needs_lock
    if needs_lock and getattr(arguments, "rev", WORKSPACE) == WORKSPACE:
        check_lock(root)
    with contextlib.chdir(root):
        return int(arguments.run(arguments))


if __name__ == "__main__":
    sys.exit(main())
