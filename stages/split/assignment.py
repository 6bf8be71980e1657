"""The split of each group, by a stable hash of the group: new rows never move old ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from exemplars.core.digests import hash_to_fraction
from exemplars.core.ids import SPLITS, SplitName
from stages.split.params import Ratios


class Assignment(NamedTuple):
    """The split of every group, and the groups that are not where their hash puts them."""

    splits: dict[str, SplitName]
    rescued: dict[str, str]
    """Groups that were moved so that a skill is in every split, with the skill."""


def choose_split(group: str, salt: str, ratios: Ratios) -> SplitName:
    """Choose the split of a group by its hash alone.

    The unit interval is cut into test, validation and train, in this order.

    >>> choose_split("sgd:dialogue_1", "salt", Ratios(train=0.8, validation=0.1, test=0.1))
    'train'
    """
    fraction = hash_to_fraction(group, salt)
    if fraction < ratios.test:
        return "test"
    return "validation" if fraction < ratios.test + ratios.validation else "train"


def assign_groups(
    rows: Iterable[tuple[str, str | None]], prescribed: Mapping[str, SplitName], salt: str, ratios: Ratios
) -> Assignment:
    """Assign every group to a split.

    A skill that has at least one free group for each split with a share is put into all of these splits:
    where the hash leaves a split out, the skill's group whose hash is nearest to that split is moved there
    from the split with most of the skill's groups. Skills are handled in the order of their names.

    rows: the group and the skill of each row. prescribed: the groups whose split is given; they are never
    moved.
    """
    skill_groups: dict[str, set[str]] = defaultdict(set)
    splits: dict[str, SplitName] = {}
    for group, skill in rows:
        splits[group] = prescribed.get(group) or choose_split(group, salt, ratios)
        if skill is not None and group not in prescribed:
            skill_groups[skill].add(group)
    shared = [name for name in SPLITS if getattr(ratios, name) > 0]
    assignment = Assignment(splits, {})
    for skill, groups in sorted(skill_groups.items()):
        if len(groups) >= len(shared):
            _rescue_skill(assignment, skill, groups, shared, salt)
    return assignment


def _rescue_skill(
    assignment: Assignment, skill: str, groups: Collection[str], shared: Sequence[SplitName], salt: str
) -> None:
    """Move groups of a skill, one at most for each split that has none of them."""
    for missing in shared:
        counts = Counter(assignment.splits[group] for group in groups)
        if counts[missing]:
            continue
        fullest = max(shared, key=lambda name: (counts[name], name))
        candidates = [
            group
            for group in groups
            if assignment.splits[group] == fullest and group not in assignment.rescued
        ]
        if counts[fullest] > 1 and candidates:
            moved = min(candidates, key=lambda group: (hash_to_fraction(group, f"{salt}/{missing}"), group))
            assignment.splits[moved] = missing
            assignment.rescued[moved] = skill
