"""`exemplars runs`: the runs of the workspace and of git's history."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import Final

import msgspec

from exemplars.audit.run_history import RecordedRun, find_runs
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.core.errors import run_main
from exemplars.core.terminal import escape_line, print_text

_EXAMPLES: Final = """\
examples:
  exemplars runs                 each run: where, figures, base model
  exemplars runs --format json   the whole manifests

`exemplars trace RUN` shows what a run was trained on.
"""
_WIDTH: Final = 80
_RUN_WIDTH: Final = 35


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "runs",
        short="list the runs of the workspace and of git's history",
        long="List the runs whose manifests are in the workspace or in a commit.",
        examples=_EXAMPLES,
    )
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the runs; return the exit status."""

    def show() -> None:
        runs = find_runs(Path())
        if arguments.format == "json":
            print_json([{"where": run.where, **msgspec.to_builtins(run.manifest)} for run in runs])
        else:
            print_text(format_runs(runs))

    return run_main(show)


def format_runs(runs: list[RecordedRun]) -> str:
    """Format two lines per run, within 80 columns: name, place and figures; method and base model."""
    if not runs:
        return "no run yet: `dvc repro train` makes one\n"
    lines = [f"{'run':<{_RUN_WIDTH}} {'where':<12} {'steps':>7} {'tokens':>13} {'loss':>8}"]
    for run in runs:
        manifest = run.manifest
        loss = manifest.losses.get("validation_loss", manifest.losses.get("train_loss", 0.0))
        figures = f"{run.where:<12} {manifest.steps:>7,} {manifest.tokens:>13,} {loss:>8.4f}"
        if len(run.name) <= _RUN_WIDTH:
            lines.append(f"{run.name:<{_RUN_WIDTH}} {figures}")
        else:
            lines += [run.name, f"{'':<{_RUN_WIDTH}} {figures}"]
        method = manifest.params.get("recipe", {}).get("method", manifest.recipe)
        what = f"{method} on {run.base_name}, {manifest.base_license}"
        lines += textwrap.wrap(what, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(map(escape_line, lines)) + "\n"
