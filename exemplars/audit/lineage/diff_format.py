"""How changes are told, in text and Markdown alike."""

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
_LONGEST: Final = 300
GROUPINGS: Final = ("skill", "source")


def title(told: Mapping[str, Any]) -> str:
    """The two revisions."""
    old, new = (_name(told[side]) for side in ("old", "new"))
    return f"{old} -> {new}"


def _name(side: Mapping[str, Any]) -> str:
    commit = (side["commit"] or "")[:12]
    same = not commit or side["revision"].startswith(commit)
    return f"{side['revision']}{'' if same else f' ({commit})'}"


def row_counts(told: Mapping[str, Any]) -> str:
    """How many rows both have."""
    return f"{told['old']['rows']:,} -> {told['new']['rows']:,} rows"


def differs(told: Mapping[str, Any]) -> bool:
    """Whether anything does, even a place in a file."""
    return any(told["counts"].values())


def largest(counts: Mapping[str, Mapping[str, int]], limit: int) -> list[tuple[str, Mapping[str, int]]]:
    """The skills or sources with most changes."""
    return sorted(counts.items(), key=lambda one: (-sum(one[1].values()), one[0]))[:limit]


def details(told: Mapping[str, Any], kind: str) -> str:
    """The counts of the fields, moves or reasons of a kind of change; empty where it has none."""
    return ", ".join(f"{name} {count:,}" for name, count in told["details"].get(kind, {}).items())


def about(kind: str, row: Mapping[str, Any]) -> Iterator[str]:
    """The lines below a row's id."""
    if kind == "changed":
        if row["old_id"] != row["id"]:
            yield f"was {row['old_id']}"
        for name, (old, new) in row["fields"].items():
            yield from _change(name, old, new)
        return
    yield _shown(row["utterance"])
    if kind in ("added", "removed"):
        yield f"{row['skill'] or 'no skill'}, {row['split'] if kind == 'added' else row['old_split']}"
    elif kind == "moved":
        yield f"{row['old_split']} -> {row['split']}"
    elif kind == "rejected":
        yield f"by {row['stage']}, {row['reason']}: {row['message']}"
    elif kind == "accepted":
        yield f"was rejected by {row['old_stage']}, {row['old_reason']}" + _now_in(row)
    elif kind == "rejected_otherwise":
        yield f"{row['old_stage']}, {row['old_reason']} -> {row['stage']}, {row['reason']}: {row['message']}"
    else:
        yield f"was rejected by {row['old_stage']}, {row['old_reason']}"


def _now_in(row: Mapping[str, Any]) -> str:
    return f"; now in {row['split']}" if row["split"] else ""


def _change(name: str, old: Any, new: Any) -> Iterator[str]:
    if name == "arguments":
        before, after = ({one["slot"]: one for one in side or ()} for side in (old, new))
        for slot in dict.fromkeys((*before, *after)):
            one, other = before.get(slot), after.get(slot)
            if one != other:
                yield f"{name}.{slot}: {_argument(one)} -> {_argument(other)}"
    elif name == "context":
        yield f"{name}: {len(old or ())} turns -> {len(new or ())} turns"
        for number, (one, other) in enumerate(zip(old or (), new or (), strict=False)):
            if one != other:
                yield f"{name}.{number}: {_shown(one['utterance'])} -> {_shown(other['utterance'])}"
                return
    else:
        yield f"{name}: {_shown(old)} -> {_shown(new)}"


def _argument(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return "none"
    span = "" if one["start"] is None else f" [{one['start']}:{one['end']}]"
    return f"{_shown(one['value'])}{span} {one['grounding']}"


def _shown(text: str | None) -> str:
    if text is None:
        return "none"
    return f'"{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"}"'


def kinds_of(counts: Mapping[str, int]) -> str:
    """Counts by kind, in words."""
    return ", ".join(f"{count:,} {TITLES[kind]}" for kind, count in counts.items())


def move_of(one: Mapping[str, Any]) -> str:
    """A metric before and after, `!` behind it where it left the interval."""
    old, new = ("none" if one[side] is None else f"{one[side]:.4f}" for side in ("old", "new"))
    return f"{old:>7} -> {new:>7}{' !' if one['beyond'] else ''}"


def rest(count: int, limit: int) -> Iterator[str]:
    """A line for what is not shown; none where all is."""
    if count > limit:
        yield f"  … and {count - limit:,} more: --limit shows more, --format json all"
