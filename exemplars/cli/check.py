"""`exemplars check`: everything that can be known before a run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from exemplars.cli.annotations import (
    FORMATS,
    Annotation,
    build_json,
    build_sarif,
    format_annotation,
    format_github,
)
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command
from exemplars.cli.project import parse_path
from exemplars.core.code_version import get_version
from exemplars.core.errors import report_errors
from exemplars.core.params import PATH
from exemplars.core.terminal import print_errors, print_line

_HELP: Final = """\
examples:
  exemplars check                   this project: parameters, sources, machine
  exemplars check --parameters      params.yaml alone
  exemplars check --parameters other.yaml
  exemplars check --format github   annotations of a pull request

exit status: 0 no errors (there may be warnings), 1 errors, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "check",
        short="find what would fail in a run, before it: in a second",
        long="Find everything that can be known before a run: mistakes in params.yaml,\n"
        "sources and skills, licenses that clash, bounds that a set of this size cannot\n"
        "meet, packages, models, memory and disk space that are missing.\n"
        "DVC writes names from params.yaml into paths before any stage runs: check a\n"
        "file from others before `dvc repro`.",
        examples=_HELP,
    )
    parser.add_argument(
        "path", nargs="?", type=parse_path, default=PATH, metavar="FILE", help="(default: params.yaml)"
    )
    parser.add_argument("--parameters", action="store_true", help="look at nothing but the parameter file")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="text for people (default), json for programs, github or sarif for CI",
    )
    parser.set_defaults(run=run, needs_project=False)


def run(arguments: argparse.Namespace) -> int:
    """Check the project, print the problems, and return the exit status."""

    def check() -> int:
        # Imported here: the readers of the sources would slow down every other command.
        from exemplars.audit.project_check import check_project

        findings = check_project(arguments.path, parameters_only=arguments.parameters)
        annotations = [Annotation(item.severity.value, item.diagnostic) for item in findings]
        print_annotations(annotations, arguments.format)
        errors = sum(annotation.level == "error" for annotation in annotations)
        print_errors([format_counts(str(arguments.path), errors, len(annotations) - errors)])
        return 1 if errors else 0

    return report_errors(check)


def format_counts(path: str, errors: int, warnings: int) -> str:
    """Format the last line: how many problems there are.

    >>> format_counts("params.yaml", 2, 1), format_counts("params.yaml", 0, 0)
    ('params.yaml: 2 errors, 1 warning', 'params.yaml: no problems')
    """
    if not errors and not warnings:
        return f"{path}: no problems"
    parts = [
        f"{count:,} {name}{'' if count == 1 else 's'}"
        for name, count in (("error", errors), ("warning", warnings))
        if count
    ]
    return f"{path}: {', '.join(parts)}"


def print_annotations(annotations: Sequence[Annotation], form: str) -> None:
    """Print problems in one of `FORMATS`."""
    if form == "json":
        print_json(build_json(annotations))
    elif form == "sarif":
        print_json(build_sarif(annotations, get_version()))
    else:
        lines = format_github(annotations) if form == "github" else map(format_annotation, annotations)
        for line in lines:
            print_line(line)
