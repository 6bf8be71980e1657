"""`exemplars plots-template`: pages of `dvc plots` that need no network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.core.errors import run_main
from exemplars.core.files import write_bytes, write_json
from exemplars.core.terminal import print_text
from exemplars.export.plot_templates import build_plot_templates
from exemplars.export.plots_page import SETTING, TEMPLATE, build_plots_template

_EXAMPLES: Final = """\
examples:
  exemplars plots-template     write the template, and name it in .dvc/config
  dvc plots show --open        the plots, without a network

Commit both files: without the template, `dvc plots` stops. Run the command
again after an upgrade of vl-convert-python; the same version writes the same
bytes.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "plots-template",
        short="make pages of `dvc plots` that work offline",
        long="Write a page template with Vega inside, for `dvc plots show` and\n`dvc plots diff`.",
        examples=_EXAMPLES,
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the template and the setting; return the exit status."""
    return run_main(lambda: print_text(write_plots_template(Path()) + "\n"))


def write_plots_template(root: Path) -> str:
    """Write the template of a project's plots and DVC's setting that names it; return a line for people."""
    from dvc.config import Config

    write_bytes(root / TEMPLATE, build_plots_template().encode())
    for name, template in build_plot_templates().items():
        write_json(root / TEMPLATE.with_name(f"{name}.json"), template)
    section, key = SETTING[0].split(".")
    with Config(dvc_dir=str((root / ".dvc").resolve()), validate=False).edit("repo") as config:
        config.setdefault(section, {})[key] = SETTING[1]
    return f"wrote {TEMPLATE}, and named it in .dvc/config: `dvc plots show` needs no network"
