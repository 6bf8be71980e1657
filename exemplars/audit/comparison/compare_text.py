"""The text of `exemplars compare`, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

from exemplars.audit.comparison.compare_format import (
    ROW_TITLES,
    format_difference,
    format_error,
    format_figure,
    format_side,
    format_slices_title,
    format_test,
    list_figures,
    list_moved_slices,
    list_row_lines,
)
from exemplars.audit.lineage.diff_format import more_line
from exemplars.core.terminal import escape_controls, escape_line

_WIDTH: Final = 80
_HEADINGS: Final = ("before", "after", "difference, * moved")


def format_compare_text(document: Mapping[str, Any], limit: int) -> str:
    """Format a document of `compare_evaluations` as text. limit: the maximum number of rows of each kind."""
    return "\n".join(map(escape_line, _format_document(document, limit))) + "\n"


def _format_document(document: Mapping[str, Any], limit: int) -> Iterator[str]:
    old, new = document["old"], document["new"]
    yield f"{format_side(old)} -> {format_side(new)}"
    yield f"  runs    {old['run']} -> {new['run']}"
    yield f"  system  {' -> '.join(dict.fromkeys((old['system'], new['system'])))}"
    yield f"  rows    {document['rows']['compared']:,} that both answered"
    for note in document["notes"]:
        yield from _wrap(f"  note: {note}", 4)
    yield from ["", f"{'system, all its rows':<22}{'before':<19}after"]
    for system in document["systems"]:
        yield f"{system['system']:<22}{format_figure(system['old']):<19}{format_figure(system['new'])}"
    yield from ["", f"{'95 % intervals':<20}{_HEADINGS[0]:<19}{_HEADINGS[1]:<19}{_HEADINGS[2]}"]
    for name, figure in list_figures(document):
        figures = f"{format_figure(figure['old']):<19}{format_figure(figure['new']):<19}"
        yield f"{name:<20}{figures}{format_difference(figure['difference'], figure['moved'])}"
    yield from ["", *_wrap(format_test(document), 2)]
    yield from ["", *_wrap(format_slices_title(document), 2)]
    for part in list_moved_slices(document)[:limit]:
        name = textwrap.shorten(f"{part['dimension']}: {part['slice']}", 36)
        yield (
            f"  {name:<37}{part['rows']:>5,}  {part['old']['value']:.2f} -> {part['new']['value']:.2f}  "
            f"{format_difference(part['difference'], False)}"
        )
    for kind in ROW_TITLES:
        yield from _format_rows(kind, document[kind], limit)


def _format_rows(kind: str, rows: list[Mapping[str, Any]], limit: int) -> Iterator[str]:
    if not rows:
        return
    yield from ["", f"{ROW_TITLES[kind]}: {len(rows):,}"]
    for row in rows[:limit]:
        yield f"  {row['id']}  {format_error(kind, row)}"
        for name, text in list_row_lines(row):
            yield from _wrap(f"    {name:<10}{text}", 14)
    yield from more_line(len(rows), limit)


def _wrap(line: str, indent: int) -> list[str]:
    return textwrap.wrap(
        escape_controls(line), _WIDTH, subsequent_indent=" " * indent, replace_whitespace=True
    )
