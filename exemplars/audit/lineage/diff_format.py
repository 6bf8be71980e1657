"""Formatting that the text and the Markdown of `exemplars diff` share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

TITLES: Final = {
    "added": "added",
    "removed": "removed",
    "changed": "changed",
    "moved": "moved between splits",
    "rejected": "newly rejected",
    "accepted": "newly accepted",
    "rejected_otherwise": "rejected for another reason",
    "withdrawn": "rejections gone",
}
HEADS: Final = {
    "added": "added", "removed": "removed", "changed": "changed", "moved": "moved", "rejected": "rejected",
    "accepted": "accepted", "rejected_otherwise": "otherwise", "withdrawn": "gone",
}  # fmt: skip
_MAX_TEXT: Final = 300
GROUPINGS: Final = ("skill", "source")


def format_title(document: Mapping[str, Any]) -> str:
    """Format the names of the two revisions: `v1 (1a2b3c) -> workspace`."""
    old, new = (_format_revision(document[side]) for side in ("old", "new"))
    return f"{old} -> {new}"


def _format_revision(side: Mapping[str, Any]) -> str:
    commit = (side["commit"] or "")[:12]
    is_named_by_hash = not commit or side["revision"].startswith(commit)
    return f"{side['revision']}{'' if is_named_by_hash else f' ({commit})'}"


def format_row_counts(document: Mapping[str, Any]) -> str:
    """Format the number of rows of both revisions."""
    return f"{document['old']['rows']:,} -> {document['new']['rows']:,} rows"


def has_differences(document: Mapping[str, Any]) -> bool:
    """Check whether anything differs, be it only a row's place in its file."""
    return any(document["counts"].values())


def select_largest(
    counts: Mapping[str, Mapping[str, int]], limit: int
) -> list[tuple[str, Mapping[str, int]]]:
    """Select the skills or sources with the most changes."""
    return sorted(counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))[:limit]


def list_kinds(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """List the kinds of change that some skill or source has, in the order of `HEADS`."""
    return [kind for kind in HEADS if any(kind in by_kind for by_kind in counts.values())]


def list_metric_changes(metrics: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """List the metrics and slices that moved, with their names for people."""
    overall = [(f"{change['system']}: {change['metric']}", change) for change in metrics["overall"]]
    slices = [(f"{change['dimension']}: {change['slice']}", change) for change in metrics["slices"]]
    return [*overall, *slices]


def format_details(document: Mapping[str, Any], kind: str) -> str:
    """Format the counts of the fields, moves or reasons of a kind of change; empty if it has none."""
    return ", ".join(f"{name} {count:,}" for name, count in document["details"].get(kind, {}).items())


def row_lines(kind: str, row: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines below a row's id, which say what changed."""
    if kind == "changed":
        if row["old_id"] != row["id"]:
            yield f"was {row['old_id']}"
        if row["edited_by"]:
            yield f"edited by {' and '.join(row['edited_by'])}"
        for name, (old, new) in row["fields"].items():
            yield from _field_lines(name, old, new)
        return
    yield _quote(row["utterance"])
    if kind in ("added", "removed"):
        yield f"{row['skill'] or 'no skill'}, {row['split'] if kind == 'added' else row['old_split']}"
    elif kind == "moved":
        yield f"{row['old_split']} -> {row['split']}"
    elif kind == "rejected":
        yield f"by {row['stage']}, {row['reason']}: {row['message']}"
    elif kind == "rejected_otherwise":
        yield f"{row['old_stage']}, {row['old_reason']} -> {row['stage']}, {row['reason']}: {row['message']}"
    else:
        split = f"; now in {row['split']}" if kind == "accepted" and row["split"] else ""
        yield f"was rejected by {row['old_stage']}, {row['old_reason']}{split}"


def _field_lines(name: str, old: Any, new: Any) -> Iterator[str]:
    if name == "arguments":
        before, after = ({argument["slot"]: argument for argument in side or ()} for side in (old, new))
        for slot in dict.fromkeys((*before, *after)):
            if before.get(slot) != after.get(slot):
                arguments = (_format_argument(side.get(slot)) for side in (before, after))
                yield f"{name}.{slot}: {' -> '.join(arguments)}"
    elif name == "context":
        yield f"{name}: {len(old or ())} turns -> {len(new or ())} turns"
        for number, (old_turn, new_turn) in enumerate(zip(old or (), new or (), strict=False)):
            if old_turn != new_turn:
                utterances = (_quote(turn["utterance"]) for turn in (old_turn, new_turn))
                yield f"{name}.{number}: {' -> '.join(utterances)}"
                return
    else:
        yield f"{name}: {_quote(old)} -> {_quote(new)}"


def _format_argument(argument: Mapping[str, Any] | None) -> str:
    if argument is None:
        return "none"
    span = "" if argument["start"] is None else f" [{argument['start']}:{argument['end']}]"
    return f"{_quote(argument['value'])}{span} {argument['grounding']}"


def _quote(text: str | None) -> str:
    if text is None:
        return "none"
    return f'"{text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"}"'


def format_kinds(counts: Mapping[str, int]) -> str:
    """Format counts by kind of change in words.

    >>> format_kinds({"added": 2, "moved": 1})
    '2 added, 1 moved between splits'
    """
    return ", ".join(f"{count:,} {TITLES[kind]}" for kind, count in counts.items())


def format_metric_change(change: Mapping[str, Any]) -> str:
    """Format a metric before and after, followed by `!` if it left the old interval.

    >>> format_metric_change({"old": 0.5, "new": 0.75, "beyond": True})
    ' 0.5000 ->  0.7500 !'
    """
    old, new = ("none" if change[side] is None else f"{change[side]:.4f}" for side in ("old", "new"))
    return f"{old:>7} -> {new:>7}{' !' if change['beyond'] else ''}"


def more_line(count: int, limit: int) -> Iterator[str]:
    """Yield an "and N more" line if a list of `count` entries is cut at `limit`."""
    if count > limit:
        yield f"  … and {count - limit:,} more: use a larger --limit, or --format json for all"
