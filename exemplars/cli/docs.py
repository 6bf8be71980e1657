"""`exemplars docs`: print the pages of the documentation, which come with the package."""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.core.errors import Diagnostic, UserError, quote_text, run_main, suggest_name
from exemplars.core.terminal import print_line, print_text

DOCS: Final = Path(str(files("exemplars") / "docs"))
"""The folder of the pages."""
_HELP: Final = """\
examples:
  exemplars docs                 the pages
  exemplars docs formats/jsonl   one page, in Markdown
  exemplars docs erase | less
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "docs",
        short="print the documentation of this version",
        long="List the pages of the documentation, or print one: what messages call\n"
        "docs/formats/jsonl.md is the page formats/jsonl.",
        examples=_HELP,
    )
    parser.add_argument("page", nargs="?", metavar="PAGE", help="the page to print (default: list all)")
    parser.set_defaults(run=run, needs_project=False)


def run(arguments: argparse.Namespace) -> int:
    """Print the page or the list of pages, and return the exit status."""

    def print_docs() -> None:
        pages = {path.relative_to(DOCS).with_suffix("").as_posix(): path for path in DOCS.rglob("*.md")}
        if arguments.page is None:
            for name, path in sorted(pages.items()):
                print_line(f"{name:36} {_read_title(path)}")
            return
        name = arguments.page.removeprefix("docs/").removesuffix(".md")
        if name not in pages:
            fix = suggest_name(name, sorted(pages)) or "`exemplars docs` lists the pages"
            found = f"no page {quote_text(arguments.page)}"
            raise UserError(
                [Diagnostic(path="docs", code="no_page", found=found, expected="a page", fix=fix)]
            )
        print_text(pages[name].read_text("utf-8"))

    return run_main(print_docs)


def _read_title(path: Path) -> str:
    return path.read_text("utf-8").partition("\n")[0].removeprefix("# ")
