"""What `exemplars diff` tells a pull request: Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exemplars.audit.lineage.diff_format import (
    GROUPINGS,
    HEADS,
    TITLES,
    about,
    details,
    differs,
    kinds_of,
    largest,
    move_of,
    rest,
    row_counts,
    title,
)


def diff_markdown(told: Mapping[str, Any], limit: int) -> str:
    """A document of `as_document`: tables of counts, and a folded list of each kind.

    limit: the most rows and groups of each kind that are shown.
    """
    return "\n".join(_markdown(told, limit)) + "\n"


def _markdown(told: Mapping[str, Any], limit: int) -> Iterator[str]:
    yield f"### Data: {title(told)}"
    yield from ["", f"{row_counts(told)}." if differs(told) else f"{row_counts(told)}; no row differs."]
    counts = {kind: count for kind, count in told["counts"].items() if count}
    if counts:
        yield from ["", "| change | rows |", "| --- | ---: |"]
        for kind, count in counts.items():
            particulars = details(told, kind)
            more = f" ({_plain(particulars)})" if particulars else ""
            yield f"| {TITLES.get(kind, kind)}{more} | {count:,} |"
    for by in GROUPINGS:
        yield from _markdown_counts(told, by, limit)
    for kind, rows in told["rows"].items():
        if rows:
            yield from _folded(f"{TITLES[kind]}: {told['counts'][kind]:,}", _items(told, kind, limit))
    if "metrics" in told:
        yield from [
            "",
            "#### Metrics that moved",
            "",
            "| metric or slice | before | after | changed rows in it |",
        ]
        yield "| --- | ---: | ---: | --- |"
        moves = [*told["metrics"]["overall"], *told["metrics"]["slices"]]
        for one in moves[:limit]:
            name = f"{one.get('system', one.get('dimension'))}: {one.get('metric', one.get('slice'))}"
            old, _, new = move_of(one).partition(" -> ")
            rows = kinds_of(one.get("changed_rows") or {})
            yield f"| {_plain(name)} | {old.strip()} | {new.strip()} | {rows} |"
        yield from rest(len(moves), limit)


def _markdown_counts(told: Mapping[str, Any], by: str, limit: int) -> Iterator[str]:
    counts = told[f"by_{by}"]
    kinds = [kind for kind in HEADS if any(kind in one for one in counts.values())]
    if not kinds:
        return
    yield from ["", f"| {by} | " + " | ".join(HEADS[kind] for kind in kinds) + " |"]
    yield "| --- |" + " ---: |" * len(kinds)
    for name, one in largest(counts, limit):
        yield f"| {_plain(name)} | " + " | ".join(f"{one.get(kind, 0):,}" for kind in kinds) + " |"
    if len(counts) > limit:
        yield f"| and {len(counts) - limit:,} more |" + " |" * len(kinds)


def _items(told: Mapping[str, Any], kind: str, limit: int) -> Iterator[str]:
    rows = told["rows"][kind]
    for row in rows[:limit]:
        yield f"- `{row['id']}`"
        for line in about(kind, row):
            yield f"  - {_plain(line)}"
    if told["counts"][kind] > min(limit, len(rows)):
        yield f"- and {told['counts'][kind] - min(limit, len(rows)):,} more"


def _folded(summary: str, lines: Iterator[str]) -> Iterator[str]:
    yield from ["", "<details>", f"<summary>{summary}</summary>", "", *lines, "", "</details>"]


def _plain(text: str) -> str:
    """A text that Markdown shows as it is."""
    escaped = text.replace("\\", "\\\\").replace("\n", " ")
    for sign in "`*_<>[]#|":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped
