"""`exemplars init`: make a project of your own."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.core.errors import run_main
from exemplars.core.files import format_path
from exemplars.core.terminal import print_line

FORMATS: Final = ("skills", "jsonl", "sgd", "opencui")
_HELP: Final = """\
examples:
  exemplars init hotel --skills book_room,room_service
  exemplars init hotel --from jsonl     labeled examples instead of skill files
  exemplars init .                      in this folder, next to what it has

No file is overwritten. The project becomes a git repository if it is in none,
since DVC needs one.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "init",
        short="make a project of your own",
        long="Make a project: a pipeline, parameters, and a first source with an example of\n"
        "each skill. The stages come from the installed package.",
        examples=_HELP,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where; its name is the project's")
    parser.add_argument(
        "--skills",
        default="my_skill",
        metavar="NAME,NAME",
        help="the functions to call (default: my_skill)",
    )
    parser.add_argument(
        "--from",
        dest="form",
        choices=FORMATS,
        default="skills",
        help="the format of the first source (default: skills)",
    )
    parser.set_defaults(run=run, needs_project=False, in_root=False)


def run(arguments: argparse.Namespace) -> int:
    """Make the project, print what to do next, and return the exit status."""

    def init() -> None:
        # Imported here: jinja2 would slow down every other command.
        from exemplars.project.scaffold import build_project, init_git, write_project

        folder = arguments.folder
        name = folder.resolve().name
        skills = [skill.strip() for skill in arguments.skills.split(",")]
        today = datetime.datetime.now(datetime.UTC).date()
        files = build_project(name, skills, arguments.form, today)
        kept = write_project(folder, files)
        has_git = init_git(folder)
        print_line(f"{format_path(folder)}: {len(files) - len(kept)} files written")
        for path in kept:
            print_line(f"  kept as it was: {path}")
        steps = [f"cd {format_path(folder)}"] if folder.resolve() != Path.cwd() else []
        steps += [] if has_git else ["git init"]
        steps += ["exemplars plots-template"] if ".dvc/config" in kept else []
        steps += ["exemplars lint", "dvc repro validate"]
        print_line(f"next: {' && '.join(steps)}")

    return run_main(init)
