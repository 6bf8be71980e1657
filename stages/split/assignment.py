"""Which split each group is in: by a stable hash of the group, so that new rows move no old ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from exemplars.core.digests import stable_fraction
from stages.split.params import SPLITS, Ratios


class Assignment(NamedTuple):
    """The split of every group, and the groups that did not stay where their hash put them."""

    splits: dict[str, str]
    rescued: dict[str, str]
    """Groups moved so that a skill is in every split, with the skill."""


def hashed_split(group: str, salt: str, ratios: Ratios) -> str:
    """The split of a group by its hash alone: test first, then validation, the rest is train."""
    fraction = stable_fraction(group, salt)
    if fraction < ratios.test:
        return "test"
    return "validation" if fraction < ratios.test + ratios.validation else "train"


def assign(
    rows: Iterable[tuple[str, str | None]], prescribed: Mapping[str, str], salt: str, ratios: Ratios
) -> Assignment:
    """The split of every group.

    rows: the group and the skill of each row.
    prescribed: the groups whose split is given, with that split; they are never moved.

    A skill with at least as many free groups as there are splits with a share is in each of these
    splits. Where the hash leaves one out, the group of the skill nearest to that split by hash is
    moved there from the split that has most of the skill. Skills are looked at by name.
    """
    groups_of: dict[str, set[str]] = defaultdict(set)
    splits = {}
    for group, skill in rows:
        splits[group] = prescribed.get(group) or hashed_split(group, salt, ratios)
        if skill is not None and group not in prescribed:
            groups_of[skill].add(group)
    shared = [name for name in SPLITS if getattr(ratios, name) > 0]
    rescued: dict[str, str] = {}
    for skill, groups in sorted(groups_of.items()):
        if len(groups) < len(shared):
            continue
        for missing in shared:
            held = Counter(splits[group] for group in groups)
            if held[missing]:
                continue
            fullest = max(shared, key=lambda name: (held[name], name))
            candidates = [one for one in groups if splits[one] == fullest and one not in rescued]
            if held[fullest] > 1 and candidates:
                moved = min(candidates, key=lambda one: (stable_fraction(one, f"{salt}/{missing}"), one))
                splits[moved] = missing
                rescued[moved] = skill
    return Assignment(splits, rescued)
