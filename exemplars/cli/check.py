"""`exemplars check`: check `params.yaml`, before DVC fills its values into commands and paths."""

from __future__ import annotations

import argparse
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.cli.project import parse_path
from exemplars.core.errors import run_main
from exemplars.core.params import PATH, SECTIONS, check_sections
from exemplars.core.terminal import print_line

_HELP: Final = """\
examples:
  exemplars check               params.yaml of this project
  exemplars check other.yaml    another file

exit status: 0 no problems, 1 problems found, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "check",
        short="check params.yaml: names, keys and values",
        long="Check the names, keys and values of params.yaml. DVC writes names from it into\n"
        "paths before any stage runs: check a file from others before `dvc repro`.",
        examples=_HELP,
    )
    parser.add_argument(
        "path", nargs="?", type=parse_path, default=PATH, metavar="FILE", help="(default: params.yaml)"
    )
    parser.set_defaults(run=run, needs_project=False)


def run(arguments: argparse.Namespace) -> int:
    """Check the file, print the problems, and return the exit status."""

    def check() -> None:
        # Imported here: the sections' types would slow down every other command.
        from stages.compile.params import CompileParams
        from stages.curate.params import CurateParams
        from stages.evaluate.params import EvaluateParams
        from stages.ingest.params import IngestParams
        from stages.publish.params import PublishParams
        from stages.render.params import RenderParams
        from stages.split.params import SplitParams
        from stages.train.params import TrainParams
        from stages.validate.params import ValidateParams

        types = (
            IngestParams,
            CompileParams,
            CurateParams,
            ValidateParams,
            SplitParams,
            RenderParams,
            TrainParams,
            EvaluateParams,
            PublishParams,
        )
        check_sections(dict(zip(SECTIONS, types, strict=True)), arguments.path)
        print_line(f"{arguments.path}: no problems")

    return run_main(check)
