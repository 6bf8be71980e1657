"""`exemplars lint`: check skill files, fast, without running the pipeline."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

import msgspec

from exemplars.audit.linting import LintResult, lint_skill_files, list_skill_files
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.cli.project import parse_path
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import format_path, read_file
from exemplars.core.terminal import print_errors, print_line
from exemplars.dataset.recognizers import Recognizers, decode_recognizers
from stages.ingest.reading import decode_bytes, describe_json_error

DEFAULT_PATH: Final = "data/raw/skills"
DEFAULT_RECOGNIZERS: Final = "schemas/recognizers.json"
_HELP: Final = """\
examples:
  exemplars lint                          all skill files of the project
  exemplars lint data/raw/skills/call.md  one file
  exemplars lint --format json | jq .     JSON for programs

exit status: 0 no problems, 1 problems found, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "lint",
        short="check skill files: file:line:col: code: message",
        long="Check skill files: their form, their calls, and the span of each value.",
        examples=_HELP,
    )
    parser.add_argument(
        "paths",
        nargs="*",
        type=parse_path,
        metavar="PATH",
        help=f"a skill file or a folder (default: {DEFAULT_PATH})",
    )
    add_format(parser)
    parser.add_argument(
        "--recognizers",
        type=parse_path,
        default=Path(DEFAULT_RECOGNIZERS),
        metavar="FILE",
        help=f"the recognizers that skills may name (default: {DEFAULT_RECOGNIZERS})",
    )
    parser.add_argument(
        "--none-skill", default="other", metavar="NAME", help='the skill for "no call" (default: other)'
    )
    parser.set_defaults(run=run, needs_project=False)


def run(arguments: argparse.Namespace) -> int:
    """Check the files, print the problems, and return the exit status."""
    paths = arguments.paths or [Path(DEFAULT_PATH)]
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        print_errors([f"exemplars lint: {format_path(missing[0])}: no such file or folder"])
        return 2
    try:
        recognizers = _read_recognizers(arguments.recognizers)
        files = [file for path in paths for file in list_skill_files(path)]
    except UserError as error:
        print_errors(f"exemplars lint: {problem}" for problem in error.diagnostics)
        return 2
    result = lint_skill_files(files, recognizers, arguments.none_skill)
    _print_result(result, arguments.format)
    summary = f"{len(files)} file(s), {result.examples} example(s), {len(result.diagnostics)} problem(s)"
    print_errors([summary])
    return 1 if result.diagnostics else 0


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


def _print_result(result: LintResult, form: str) -> None:
    if form == "json":
        print_json(list(map(_describe, result.diagnostics)))
        return
    for diagnostic in result.diagnostics:
        line, column = diagnostic.line or 1, diagnostic.column or 1
        print_line(f"{diagnostic.path}:{line}:{column}: {diagnostic.code}: {diagnostic.message}")


def _describe(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "path": diagnostic.path,
        "line": diagnostic.line or 1,
        "column": diagnostic.column or 1,
        "code": diagnostic.code,
        "message": diagnostic.message,
    }
