"""The Markdown of `exemplars diff`, for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

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
    list_metric_changes,
    more_line,
    row_lines,
    select_largest,
)
from exemplars.core.terminal import escape_line


def format_diff_markdown(document: Mapping[str, Any], limit: int) -> str:
    """Format a document of `build_diff` as Markdown: tables of counts, and a folded list of each kind of change.

    limit: the maximum number of rows and groups of each kind.
    """
    return "\n".join(map(escape_line, _format_document(document, limit))) + "\n"


def _format_document(document: Mapping[str, Any], limit: int) -> Iterator[str]:
    yield f"### Data: {format_title(document)}"
    suffix = "." if has_differences(document) else "; no row differs."
    yield from ["", f"{format_row_counts(document)}{suffix}"]
    counts = {kind: count for kind, count in document["counts"].items() if count}
    if counts:
        yield from ["", "| change | rows |", "| --- | ---: |"]
        for kind, count in counts.items():
            details = format_details(document, kind)
            more = f" ({escape_markdown(details)})" if details else ""
            yield f"| {TITLES.get(kind, kind)}{more} | {count:,} |"
    for grouping in GROUPINGS:
        yield from _format_counts(grouping, document[f"by_{grouping}"], limit)
    for kind, rows in document["rows"].items():
        if rows:
            count = document["counts"][kind]
            yield from ["", "<details>", f"<summary>{TITLES[kind]}: {count:,}</summary>", ""]
            yield from _format_items(kind, rows[:limit], count)
            yield from ["", "</details>"]
    if "metrics" in document:
        yield from _format_metrics(document["metrics"], limit)


def _format_counts(grouping: str, counts: Mapping[str, Mapping[str, int]], limit: int) -> Iterator[str]:
    kinds = list_kinds(counts)
    if not kinds:
        return
    yield from ["", f"| {grouping} | " + " | ".join(HEADS[kind] for kind in kinds) + " |"]
    yield "| --- |" + " ---: |" * len(kinds)
    for name, by_kind in select_largest(counts, limit):
        yield (
            f"| {escape_markdown(name)} | " + " | ".join(f"{by_kind.get(kind, 0):,}" for kind in kinds) + " |"
        )
    if len(counts) > limit:
        yield f"| and {len(counts) - limit:,} more |" + " |" * len(kinds)


def _format_items(kind: str, rows: list[Mapping[str, Any]], count: int) -> Iterator[str]:
    for row in rows:
        yield f"- {format_code(row['id'])}"
        for line in row_lines(kind, row):
            yield f"  - {escape_markdown(line)}"
    if count > len(rows):
        yield f"- and {count - len(rows):,} more"


def _format_metrics(metrics: Mapping[str, Any], limit: int) -> Iterator[str]:
    yield from ["", "#### Metrics that moved", ""]
    yield from ["| metric or slice | before | after | changed rows in it |", "| --- | ---: | ---: | --- |"]
    changes = list_metric_changes(metrics)
    for name, change in changes[:limit]:
        old, _, new = format_metric_change(change).partition(" -> ")
        rows = format_kinds(change.get("changed_rows") or {})
        yield f"| {escape_markdown(name)} | {old.strip()} | {new.strip()} | {rows} |"
    yield from more_line(len(changes), limit)


def format_code(text: str) -> str:
    """Format a text as code, within more backticks than it has in a row."""
    text = escape_line(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if len(fence) > 1 else f"`{text}`"


def escape_markdown(text: str) -> str:
    """Escape a text so that Markdown shows it as it is."""
    escaped = escape_line(text.replace("\n", " ")).replace("\\", "\\\\")
    for sign in "`*_<>[]#|&":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped
