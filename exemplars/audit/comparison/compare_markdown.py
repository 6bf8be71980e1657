"""The Markdown of `exemplars compare`, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

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
from exemplars.audit.lineage.diff_markdown import escape_markdown, format_code
from exemplars.core.terminal import escape_line


def format_compare_markdown(document: Mapping[str, Any], limit: int) -> str:
    """Format a document of `compare_evaluations` as Markdown: tables, and a folded list of changed answers.

    limit: the maximum number of rows of each kind.
    """
    return "\n".join(map(escape_line, _format_document(document, limit))) + "\n"


def _format_document(document: Mapping[str, Any], limit: int) -> Iterator[str]:
    old, new = document["old"], document["new"]
    systems = " -> ".join(dict.fromkeys((old["system"], new["system"])))
    yield f"### Evaluation: {escape_markdown(f'{format_side(old)} -> {format_side(new)}')}"
    yield from [
        "",
        f"{format_code(old['run'])} -> {format_code(new['run'])}, system {escape_markdown(systems)},",
    ]
    yield f"{document['rows']['compared']:,} test rows that both answered."
    for note in document["notes"]:
        yield from ["", f"Note: {escape_markdown(note)}."]
    yield from [
        "",
        "| figure, 95 % interval | before | after | difference, \\* moved |",
        "| --- | --- | --- | --- |",
    ]
    for name, figure in list_figures(document):
        difference = escape_markdown(format_difference(figure["difference"], figure["moved"]))
        cells = (escape_markdown(format_figure(figure[side])) for side in ("old", "new"))
        yield f"| {name} | {' | '.join(cells)} | {difference} |"
    yield from ["", escape_markdown(f"{format_test(document)}.")]
    yield from ["", "| exact match of a system, over all its rows | before | after |", "| --- | --- | --- |"]
    for system in document["systems"]:
        cells = (escape_markdown(format_figure(system[side])) for side in ("old", "new"))
        yield f"| {escape_markdown(system['system'])} | {' | '.join(cells)} |"
    title = escape_markdown(format_slices_title(document))
    yield from ["", f"{title[0].upper()}{title[1:]}.", ""]
    yield from _format_slices(list_moved_slices(document)[:limit])
    for kind in ROW_TITLES:
        yield from _format_rows(kind, document[kind], limit)


def _format_slices(slices: list[Mapping[str, Any]]) -> Iterator[str]:
    if not slices:
        return
    yield from ["| slice | rows | before | after | difference |", "| --- | ---: | ---: | ---: | --- |"]
    for part in slices:
        name = escape_markdown(f"{part['dimension']}: {part['slice']}")
        values = f"{part['old']['value']:.2f} | {part['new']['value']:.2f}"
        difference = escape_markdown(format_difference(part["difference"], False))
        yield f"| {name} | {part['rows']:,} | {values} | {difference} |"


def _format_rows(kind: str, rows: list[Mapping[str, Any]], limit: int) -> Iterator[str]:
    if not rows:
        return
    yield from ["", "<details>", f"<summary>{ROW_TITLES[kind]}: {len(rows):,}</summary>", ""]
    for row in rows[:limit]:
        yield f"- {format_code(row['id'])}: {escape_markdown(format_error(kind, row))}"
        for name, text in list_row_lines(row):
            yield f"  - {name}: {format_code(text)}"
    if len(rows) > limit:
        yield f"- and {len(rows) - limit:,} more"
    yield from ["", "</details>"]
