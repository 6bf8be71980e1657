"""What `exemplars diff` tells people, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

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

WIDTH: Final = 80


def diff_text(told: Mapping[str, Any], limit: int) -> str:
    """A document of `as_document` as text. limit: the most rows and groups of each kind that are shown."""
    return "\n".join(_text(told, limit)) + "\n"


def _text(told: Mapping[str, Any], limit: int) -> Iterator[str]:
    yield f"{title(told)}: {row_counts(told)}"
    if not differs(told):
        yield "no row differs"
    for kind, count in told["counts"].items():
        if count:
            particulars = details(told, kind)
            more = f"  ({particulars})" if particulars else ""
            yield from _wrapped(f"  {TITLES.get(kind, kind):<28}{count:>8,}{more}", 38)
    for by in GROUPINGS:
        yield from _counts(told, by, limit)
    for kind, rows in told["rows"].items():
        if rows:
            yield from ["", f"{TITLES[kind]}:"]
            for row in rows[:limit]:
                yield f"  {row['id']}"
                for line in about(kind, row):
                    yield from _wrapped(f"    {line}", 6)
            yield from rest(told["counts"][kind], min(limit, len(rows)))
    if "metrics" in told:
        yield from _metrics(told["metrics"], limit)


def _counts(told: Mapping[str, Any], by: str, limit: int) -> Iterator[str]:
    counts = told[f"by_{by}"]
    kinds = [kind for kind in HEADS if any(kind in one for one in counts.values())]
    if not kinds:
        return
    wide = WIDTH - sum(len(HEADS[kind]) + 2 for kind in kinds)
    yield from ["", f"{f'by {by}':<{wide}}" + "".join(f"  {HEADS[kind]}" for kind in kinds)]
    for name, one in largest(counts, limit):
        figures = "".join(f"  {one.get(kind, 0):>{len(HEADS[kind])},}" for kind in kinds)
        yield f"{textwrap.shorten(name, wide):<{wide}}{figures}"
    yield from rest(len(counts), limit)


def _metrics(told: Mapping[str, Any], limit: int) -> Iterator[str]:
    yield from ["", "metrics that moved (! beyond the old interval):"]
    if told["references"][0] != told["references"][1]:
        yield f"  the slices are of other systems: {' -> '.join(told['references'])}"
    if not told["overall"] and not told["slices"]:
        yield "  none"
    for one in told["overall"][:limit]:
        yield f"  {one['system'] + ', ' + one['metric']:<52}{move_of(one)}"
    yield from rest(len(told["overall"]), limit)
    for one in told["slices"][:limit]:
        yield f"  {textwrap.shorten(one['dimension'] + ': ' + one['slice'], 51):<52}{move_of(one)}"
        if one["changed_rows"]:
            yield from _wrapped(f"    changed rows in it: {kinds_of(one['changed_rows'])}", 6)
            yield from _wrapped(f"    {', '.join(one['ids'][:3])}{', …' if len(one['ids']) > 3 else ''}", 6)
    yield from rest(len(told["slices"]), limit)


def _wrapped(line: str, indent: int) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * indent, replace_whitespace=True)
