"""The text of `exemplars diff`, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

from exemplars.audit.lineage.diff_format import (
    GROUPINGS,
    HEADS,
    TITLES,
    format_details,
    format_kinds,
    format_metric_change,
    format_row_counts,
    format_title,
    has_differences,
    list_kinds,
    more_line,
    row_lines,
    select_largest,
)
from exemplars.core.terminal import escape_controls, escape_line

_WIDTH: Final = 80


def format_diff_text(document: Mapping[str, Any], limit: int) -> str:
    """Format a document of `build_diff` as text. limit: the maximum number of rows and groups of each kind."""
    return "\n".join(map(escape_line, _format_document(document, limit))) + "\n"


def _format_document(document: Mapping[str, Any], limit: int) -> Iterator[str]:
    yield f"{format_title(document)}: {format_row_counts(document)}"
    if not has_differences(document):
        yield "no row differs"
    for kind, count in document["counts"].items():
        if count:
            details = format_details(document, kind)
            more = f"  ({details})" if details else ""
            yield from _wrap(f"  {TITLES.get(kind, kind):<28}{count:>8,}{more}", 38)
    for grouping in GROUPINGS:
        yield from _format_counts(grouping, document[f"by_{grouping}"], limit)
    for kind, rows in document["rows"].items():
        if rows:
            yield from ["", f"{TITLES[kind]}:"]
            for row in rows[:limit]:
                yield f"  {row['id']}"
                for line in row_lines(kind, row):
                    yield from _wrap(f"    {line}", 6)
            yield from more_line(document["counts"][kind], min(limit, len(rows)))
    if "metrics" in document:
        yield from _format_metrics(document["metrics"], limit)


def _format_counts(grouping: str, counts: Mapping[str, Mapping[str, int]], limit: int) -> Iterator[str]:
    kinds = list_kinds(counts)
    if not kinds:
        return
    name_width = _WIDTH - sum(len(HEADS[kind]) + 2 for kind in kinds)
    yield from ["", f"{f'by {grouping}':<{name_width}}" + "".join(f"  {HEADS[kind]}" for kind in kinds)]
    for name, by_kind in select_largest(counts, limit):
        figures = "".join(f"  {by_kind.get(kind, 0):>{len(HEADS[kind])},}" for kind in kinds)
        yield f"{textwrap.shorten(name, name_width):<{name_width}}{figures}"
    yield from more_line(len(counts), limit)


def _format_metrics(metrics: Mapping[str, Any], limit: int) -> Iterator[str]:
    yield from ["", "metrics that moved (! beyond the old interval):"]
    if metrics["references"][0] != metrics["references"][1]:
        yield f"  the slices are of different systems: {' -> '.join(metrics['references'])}"
    if not metrics["overall"] and not metrics["slices"]:
        yield "  none"
    for change in metrics["overall"][:limit]:
        yield f"  {change['system'] + ', ' + change['metric']:<52}{format_metric_change(change)}"
    yield from more_line(len(metrics["overall"]), limit)
    for change in metrics["slices"][:limit]:
        name = textwrap.shorten(f"{change['dimension']}: {change['slice']}", 51)
        yield f"  {name:<52}{format_metric_change(change)}"
        if change["changed_rows"]:
            yield from _wrap(f"    changed rows in it: {format_kinds(change['changed_rows'])}", 6)
            more = ", …" if len(change["ids"]) > 3 else ""
            yield from _wrap(f"    {', '.join(change['ids'][:3])}{more}", 6)
    yield from more_line(len(metrics["slices"]), limit)


def _wrap(line: str, indent: int) -> list[str]:
    return textwrap.wrap(
        escape_controls(line), _WIDTH, subsequent_indent=" " * indent, replace_whitespace=True
    )
