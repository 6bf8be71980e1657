"""`exemplars data-docs`: pages of Great Expectations on all expectations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.core.errors import run_main

_EXAMPLES: Final = """\
examples:
  exemplars data-docs              pages of all suites, in build/data_docs
  exemplars data-docs ../pages     in another folder, which is replaced

`dvc repro` has Great Expectations write those of broken suites alone, in
reports/data_docs: its import takes longer than all checks of small data.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "data-docs",
        short="write Data Docs of all expectations",
        long="Check the curated data and the splits by Great Expectations, as `validate`\n"
        "does, and write its pages on all expectation suites.",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("build/data_docs"), help="default: build/data_docs"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the pages; return the exit status."""

    def write_pages() -> str:
        from exemplars.audit.data_docs import write_data_docs

        met, total = write_data_docs(arguments.folder)
        return f"wrote {arguments.folder}/index.html: {met} of {total} expectations met"

    return run_main(write_pages)
