"""`exemplars lint`: check skill files, fast, without running the pipeline."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from exemplars.audit.linting import LintResult, lint_skill_files
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.core.errors import Diagnostic
from exemplars.dataset.recognizers import Recognizers, decode_recognizers

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
        "paths", nargs="*", metavar="PATH", help=f"a skill file or a folder (default: {DEFAULT_PATH})"
    )
    add_format(parser)
    parser.add_argument(
        "--recognizers",
        default=DEFAULT_RECOGNIZERS,
        metavar="FILE",
        help=f"the recognizers that skills may name (default: {DEFAULT_RECOGNIZERS})",
    )
    parser.add_argument(
        "--none-skill", default="other", metavar="NAME", help='the skill for "no call" (default: other)'
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the files, print the problems, and return the exit status."""
    paths = list(map(Path, arguments.paths or [DEFAULT_PATH]))
    missing = [path for path in paths if not path.exists()]
    if missing:
        print(f"exemplars lint: {missing[0]}: no such file or folder", file=sys.stderr)
        return 2
    try:
        recognizers = _read_recognizers(Path(arguments.recognizers))
    except msgspec.DecodeError as error:
        print(f"exemplars lint: {arguments.recognizers}: {error}", file=sys.stderr)
        return 2
    files = _read_files(paths)
    result = lint_skill_files(files, recognizers, arguments.none_skill)
    _print_result(result, arguments.format)
    summary = f"{len(files)} file(s), {result.examples} example(s), {len(result.diagnostics)} problem(s)"
    print(summary, file=sys.stderr)
    return 1 if result.diagnostics else 0


def _read_files(paths: Iterable[Path]) -> dict[str, bytes]:
    """Read the files, and those in the folders, by path, sorted."""
    files = {file for path in paths for file in (path.rglob("*.md") if path.is_dir() else [path])}
    return {str(file): file.read_bytes() for file in sorted(files)}


def _read_recognizers(path: Path) -> Recognizers:
    return decode_recognizers(path.read_bytes()) if path.exists() else Recognizers()


def _print_result(result: LintResult, form: str) -> None:
    if form == "json":
        print_json(list(map(_describe, result.diagnostics)))
        return
    for diagnostic in result.diagnostics:
        line, column = diagnostic.line or 1, diagnostic.column or 1
        print(f"{diagnostic.path}:{line}:{column}: {diagnostic.code}: {diagnostic.message}")


def _describe(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "path": diagnostic.path,
        "line": diagnostic.line or 1,
        "column": diagnostic.column or 1,
        "code": diagnostic.code,
        "message": diagnostic.message,
    }
