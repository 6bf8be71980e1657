"""The `exemplars` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from exemplars.cli import curve, diff, erase, export, lint, merge, runs, schema, trace, verify


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 0 for success, 1 for problems, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="exemplars",
        description="Check, inspect, audit and export what `dvc repro` compiles and trains.",
        epilog="`exemplars COMMAND --help` shows the options of a command, with examples.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    lint.add_parser(commands)
    schema.add_parser(commands)
    export.add_parser(commands)
    runs.add_parser(commands)
    merge.add_parser(commands)
    curve.add_parser(commands)
    trace.add_parser(commands)
    diff.add_parser(commands)
    verify.add_parser(commands)
    erase.add_parser(commands)
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except BrokenPipeError:
        # The reader of the pipe, `head` for instance, has closed it.
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
