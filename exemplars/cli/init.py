"""`exemplars init`: make a project of your own."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.core.errors import Diagnostic, UserError, run_main
from exemplars.core.files import format_path
from exemplars.core.terminal import print_line

if TYPE_CHECKING:
    from exemplars.project.skill_drafts import SkillDraft

DEFAULT_SKILL: Final = "my_skill"
FORMATS: Final = ("skills", "jsonl", "sgd", "opencui", "chat")
_HELP: Final = """\
examples:
  exemplars init hotel --skills book_room,room_service
  exemplars init hotel --from jsonl     labeled examples instead of skill files
  exemplars init hotel --tools tools.json       a skill file for each tool
  exemplars init hotel --openapi openapi.yaml   one for each operation
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
        default=DEFAULT_SKILL,
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
    drafts = parser.add_mutually_exclusive_group()
    drafts.add_argument(
        "--tools", type=Path, metavar="FILE", help="OpenAI tool definitions, or what MCP's tools/list answers"
    )
    drafts.add_argument("--openapi", type=Path, metavar="FILE", help="an OpenAPI 3 document")
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
        drafts = _read_drafts(arguments)
        files = build_project(name, skills, "skills" if drafts else arguments.form, today, drafts)
        kept = write_project(folder, files)
        has_git = init_git(folder)
        print_line(f"{format_path(folder)}: {len(files) - len(kept)} files written")
        for path in kept:
            print_line(f"  kept as it was: {path}")
        for remark in (remark for draft in drafts for remark in draft.remarks):
            print_line(f"  {remark}")
        steps = [f"cd {format_path(folder)}"] if folder.resolve() != Path.cwd() else []
        steps += [] if has_git else ["git init"]
        steps += ["exemplars plots-template"] if ".dvc/config" in kept else []
        steps += ["exemplars lint", "dvc repro validate"]
        if drafts:
            print_line(f"write examples into the files of data/raw/{name}, below `#### Examples:`")
        print_line(f"next: {' && '.join(steps)}")

    return run_main(init)


def _read_drafts(arguments: argparse.Namespace) -> list[SkillDraft]:
    from exemplars.project.skill_drafts import read_tool_drafts

    path = arguments.openapi or arguments.tools
    if path is None:
        return []
    option = "--tools" if arguments.openapi is None else "--openapi"
    if arguments.form != "skills" or arguments.skills != DEFAULT_SKILL:
        other = "--from" if arguments.form != "skills" else "--skills"
        raise UserError([_report_conflict(option, other)])
    return read_tool_drafts(path, is_openapi=arguments.openapi is not None)


def _report_conflict(option: str, other: str) -> Diagnostic:
    fix = f"leave out {other}"
    if other == "--from":
        fix += (
            f"; or leave out {option}, and copy the definitions to `tools.json` in the folder of the source"
        )
    return Diagnostic(
        path=option,
        code="unused_option",
        found=f"{other}, too",
        expected=f"one of the two, since {option} writes a skill file for each function",
        fix=fix,
    )
