"""`exemplars recover`: what a killed DVC left damaged is repaired."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.core.errors import run_main
from exemplars.core.terminal import print_line

_EXAMPLES: Final = """\
examples:
  exemplars recover    before `dvc repro`, the same two commands after any kill

It prints nothing if nothing is damaged. `make repro` runs it first.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "recover",
        short="repair dvc.lock and DVC's rwlock after a kill",
        long="DVC writes dvc.lock and .dvc/tmp/rwlock in place. If it is killed while it does,\n"
        "they are cut off. A damaged dvc.lock is restored from the copy that the last\n"
        "stage kept, or from git; a damaged rwlock is removed.",
        examples=_EXAMPLES,
    )
    parser.set_defaults(run=run, needs_lock=False)


def run(_: argparse.Namespace) -> int:
    """Restore the files, print what was done, and return the exit status."""

    def recover() -> None:
        # Imported here: DVC's modules would slow down every other command.
        from exemplars.audit.recovery import recover_project

        for line in recover_project(Path()):
            print_line(line)

    return run_main(recover)
