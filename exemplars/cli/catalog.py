"""`exemplars catalog diff`: what changed in the catalog, and the examples that no longer fit."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from exemplars.audit.catalog_changes import CatalogChange, count_misfits, find_catalog_changes
from exemplars.audit.revisions import WORKSPACE, Revision, open_revision
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.core import layout
from exemplars.core.errors import quote_text, run_main
from exemplars.core.params import read_source_paths
from exemplars.core.terminal import print_line
from exemplars.dataset.catalog import read_catalog

_HELP: Final = """\
examples:
  exemplars catalog diff              HEAD and what `dvc repro compile` made
  exemplars catalog diff v1.0         a tag or commit, and the workspace
  exemplars catalog diff v1.0 main    two revisions

exit status: 0 compared, 1 with --exit-code if an example no longer fits, or a
revision is unavailable, 2 wrong usage
"""
_MAX_PLACES: Final = 5


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "catalog",
        short="compare the catalogs of two revisions",
        long="Show the skills and parameters that changed between two revisions, and the\n"
        "examples that no longer fit, with file and line.",
        examples=_HELP,
    )
    parser.add_argument("action", choices=("diff",), help="what to do with the catalog")
    parser.add_argument(
        "old", nargs="?", metavar="REV", default="HEAD", help="older revision (default: HEAD)"
    )
    parser.add_argument(
        "new", nargs="?", metavar="REV", default=WORKSPACE, help=f"newer revision (default: the {WORKSPACE})"
    )
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if an example no longer fits")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what changed; return the exit status."""
    changes: list[CatalogChange] = []

    def show() -> None:
        changes.extend(_compare(arguments.old, arguments.new))
        if arguments.format == "json":
            print_json([msgspec.structs.asdict(change) for change in changes])
        else:
            for line in _format_changes(changes):
                print_line(line)

    status = run_main(show)
    return status or int(arguments.exit_code and count_misfits(changes) > 0)


def _compare(old: str, new: str) -> list[CatalogChange]:
    # Imported here: pyarrow would slow down every other command.
    from exemplars.core.schemas import EXEMPLAR_SCHEMA
    from exemplars.core.tables import read_table
    from exemplars.dataset.row_tables import exemplars_from_table

    before, after = open_revision(Path.cwd(), old), open_revision(Path.cwd(), new)
    table = read_table(_locate(before, layout.EXEMPLARS), EXEMPLAR_SCHEMA)
    return find_catalog_changes(
        read_catalog(_locate(before, layout.CATALOG)),
        read_catalog(_locate(after, layout.CATALOG)),
        exemplars_from_table(table),
        read_source_paths(),
    )


def _locate(revision: Revision, path: Path) -> Path:
    return path if revision.commit is None else revision.locate_output(path)


def _format_changes(changes: Sequence[CatalogChange]) -> Iterator[str]:
    if not changes:
        yield "the catalogs are the same"
        return
    for change in changes:
        name = change.skill if change.parameter is None else f"{change.skill}.{change.parameter}"
        what = (
            change.kind
            if change.field is None
            else f"{change.field}: {_quote(change.old)} -> {_quote(change.new)}"
        )
        yield f"{name}: {what}" + (f" ({change.new})" if change.kind == "parameter added" else "")
        for place in change.places[:_MAX_PLACES]:
            yield f"  {place}"
        if len(change.places) > _MAX_PLACES:
            yield f"  … and {len(change.places) - _MAX_PLACES:,} more examples"
    count = count_misfits(changes)
    yield f"{len(changes):,} changes; {count:,} examples no longer fit" + (
        ": correct them, or `exemplars rename` the skill or parameter" if count else ""
    )


def _quote(text: str | None) -> str:
    return quote_text(text or "", limit=40)
