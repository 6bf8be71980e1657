"""`exemplars upgrade`: make a project depend on the installed version of the package."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.core.errors import run_main
from exemplars.core.terminal import print_line

_HELP: Final = """\
example:
  pip install --upgrade exemplars && exemplars upgrade && dvc repro

`git checkout code.yaml dvc.yaml` takes it back.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "upgrade",
        short="make a project depend on the installed version",
        long="Write the version and the code of the installed package into code.yaml, and its\n"
        "pipeline into dvc.yaml. `dvc repro` then runs the stages whose code is another.",
        examples=_HELP,
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write both files, print what changed, and return the exit status."""

    def upgrade() -> None:
        from exemplars.cli.plots_template import write_plots_template
        from exemplars.project.code_file import DVC_YAML, upgrade_project

        result = upgrade_project()
        changed = (
            f"other code of {', '.join(result.stages)}" if result.stages else "the same code of all stages"
        )
        print_line(f"code.yaml: exemplars {result.before} -> {result.after}, {changed}")
        if result.pipeline == DVC_YAML:
            print_line("dvc.yaml: replaced by the pipeline of this version")
            print_line(write_plots_template(Path()))
        elif result.pipeline is not None:
            print_line(f"dvc.yaml was edited and stays; move what you need from {result.pipeline} into it")

    return run_main(upgrade)
