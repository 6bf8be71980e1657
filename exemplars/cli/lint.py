"""`exemplars lint`: check the sources, fast, without running the pipeline."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from exemplars.audit.linting import lint_skill_files, list_skill_files
from exemplars.cli.annotations import FORMATS, Annotation, build_sarif, format_github
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command
from exemplars.cli.project import parse_path
from exemplars.core import layout
from exemplars.core.code_version import get_version
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import format_path, read_file
from exemplars.core.params import PATH
from exemplars.core.terminal import print_errors, print_line
from exemplars.dataset.recognizers import Recognizers, decode_recognizers
from stages.ingest.reading import decode_bytes, describe_json_error

DEFAULT_PATH: Final = "data/raw/skills"
_HELP: Final = """\
examples:
  exemplars lint                          all sources of the project
  exemplars lint --source skills          one source, however large
  exemplars lint data/raw/skills/call.md  a skill file, or a folder of them
  exemplars lint --format json | jq .     JSON for programs
  exemplars lint --format github          annotations of a pull request
  exemplars lint --format sarif > lint.sarif

exit status: 0 no problems, 1 problems found, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "lint",
        short="check the sources: file:line:col: code: message",
        long="Check the sources of the project, without a run: their form, their calls, and\n"
        "the span of each value. The codes are the reasons of docs/ledger.md.",
        examples=_HELP,
    )
    parser.add_argument(
        "paths",
        nargs="*",
        type=parse_path,
        metavar="PATH",
        help="a skill file, or a folder of them (default: all sources of params.yaml)",
    )
    parser.add_argument("--source", metavar="S", help="only this source of ingest.sources")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="text for people (default), json for programs, github or sarif for CI",
    )
    parser.add_argument(
        "--recognizers",
        type=parse_path,
        default=Path(layout.RECOGNIZERS),
        metavar="FILE",
        help=f"for PATH: the recognizers that skills may name (default: {layout.RECOGNIZERS})",
    )
    parser.add_argument(
        "--none-skill",
        default="other",
        metavar="NAME",
        help='for PATH: the skill for "no call" (default: other)',
    )
    parser.set_defaults(run=run, needs_project=False)


def run(arguments: argparse.Namespace) -> int:
    """Check the sources or files, print the problems, and return the exit status."""
    if arguments.paths and arguments.source:
        print_errors(["exemplars lint: name a source, or paths, but not both"])
        return 2
    paths = arguments.paths or [Path(DEFAULT_PATH)]
    is_project = arguments.source or (not arguments.paths and os.path.lexists(PATH))
    missing = [] if is_project else [path for path in paths if not os.path.lexists(path)]
    if missing:
        print_errors([f"exemplars lint: {format_path(missing[0])}: no such file or folder"])
        return 2
    try:
        if is_project:
            diagnostics, summary = _lint_project(arguments.source)
        else:
            diagnostics, summary = _lint_paths(paths, arguments)
    except UserError as error:
        print_errors(f"exemplars lint: {problem}" for problem in error.diagnostics)
        return 2
    _print_diagnostics(diagnostics, arguments.format)
    print_errors([f"{summary}, {len(diagnostics)} problem(s)"])
    return 1 if diagnostics else 0


def _lint_project(source: str | None) -> tuple[list[Diagnostic], str]:
    """Lint all sources, or one; return the problems, and what was linted."""
    # Imported here: the readers of all formats would slow down every other command.
    from exemplars.audit.project_linting import lint_project

    result = lint_project(source)
    for name in result.skipped:
        print_errors([f"{name} is large: `exemplars lint --source {name}` lints it"])
    return result.diagnostics, f"{len(result.sources)} source(s), {result.records:,} record(s)"


def _lint_paths(paths: Sequence[Path], arguments: argparse.Namespace) -> tuple[list[Diagnostic], str]:
    """Lint skill files. Raises `UserError` if a folder has none."""
    recognizers = _read_recognizers(arguments.recognizers)
    files = [file for path in paths for file in list_skill_files(path)]
    result = lint_skill_files(files, recognizers, arguments.none_skill)
    return result.diagnostics, f"{len(files)} file(s), {result.examples} example(s)"


def _read_recognizers(path: Path) -> Recognizers:
    """Read the recognizers; none if there is no such file. Raises `UserError` if it is not one of recognizers."""
    if not os.path.lexists(path):
        return Recognizers()
    place = format_path(path)
    data = decode_bytes(place, read_file(path))
    try:
        return decode_recognizers(data)
    except msgspec.DecodeError as error:
        raise UserError([describe_json_error(place, data, error, "recognizers")]) from None


def _print_diagnostics(diagnostics: Sequence[Diagnostic], form: str) -> None:
    annotations = [Annotation("error", diagnostic) for diagnostic in diagnostics]
    if form == "json":
        print_json(list(map(_describe, diagnostics)))
    elif form == "sarif":
        print_json(build_sarif(annotations, get_version()))
    elif form == "github":
        for line in format_github(annotations):
            print_line(line)
    else:
        for item in diagnostics:
            place = f"{item.path}:{item.line or 1}:{item.column or 1}"
            print_line(f"{place}: {item.code}: {item.message}")


def _describe(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "path": diagnostic.path,
        "line": diagnostic.line or 1,
        "column": diagnostic.column or 1,
        "code": diagnostic.code,
        "message": diagnostic.message,
    }
