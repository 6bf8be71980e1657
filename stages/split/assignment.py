"""The split of each group, by a stable hash of the group: new rows never move old ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exemplars.core.arrays import sort_unique
from exemplars.core.digests import hash_to_fraction
from exemplars.core.ids import SPLITS, SplitName
from stages.split.arrays import Rows, SplitCodes
from stages.split.params import Ratios

GroupNumbers = NDArray[np.int64]
ReadNames = Callable[[list[int]], list[str]]
"""Reads the names of groups, by their numbers, which are in ascending order."""


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


class GroupAssigner:
    """Assigns groups, which have numbers: those whose split is given, then the others, then some for rare skills."""

    def __init__(self, groups: int, salt: str, ratios: Ratios) -> None:
        """groups: the number of groups."""
        self.splits: SplitCodes = np.full(groups, -1, np.int8)
        """The split of each group."""
        self._salt = salt
        self._ratios = ratios
        self._is_prescribed = np.zeros(groups, np.bool_)
        self._skills: dict[str, int] = {}
        """The number of each skill."""
        self._members: list[NDArray[np.int64]] = []
        """The groups of each skill that may be moved: the skill's number, times the number of all groups, plus the
        group's."""

    def prescribe(self, groups: Rows, splits: SplitCodes) -> None:
        """Put groups where their source wants them; they are never moved. Of a group's splits, the last counts."""
        self.splits[groups] = splits
        self._is_prescribed[groups] = True

    def add_rows(self, groups: Rows, names: pa.Array, skills: pa.Array) -> None:
        """Choose the splits of the groups of rows by their hashes, unless they are prescribed.

        groups, names: the number and the name of the group of each row.
        """
        free = np.flatnonzero(~self._is_prescribed[groups])
        unchosen = free[self.splits[groups[free]] < 0]
        numbers, first = np.unique(groups[unchosen], return_index=True)
        chosen = [
            SPLITS.index(choose_split(name, self._salt, self._ratios))
            for name in names.take(pa.array(unchosen[first])).to_pylist()
        ]
        self.splits[numbers] = chosen
        of_skill = skills.take(pa.array(free)).dictionary_encode()
        known = [self._skills.setdefault(name, len(self._skills)) for name in of_skill.dictionary.to_pylist()]
        has_skill = of_skill.is_valid().to_numpy(zero_copy_only=False)
        codes = np.array(known, np.int64)[of_skill.indices.drop_null().to_numpy()]
        self._members.append(sort_unique(codes * len(self.splits) + groups[free[has_skill]]))

    def rescue_skills(self, read_names: ReadNames) -> dict[str, str]:
        """Move groups so that each skill is in every split; return the names of these groups, each with the skill.

        A skill that has at least one free group for each split with a share is put into all of these splits: where
        the hash leaves a split out, the skill's group whose hash is nearest to that split is moved there from the split
        with most of the skill's groups. Skills are handled in the order of their names.
        """
        shared = [code for code, name in enumerate(SPLITS) if getattr(self._ratios, name) > 0]
        skills = self._list_skill_groups()
        rare = [groups for groups in skills.values() if self._has_empty_split(groups, shared)]
        names: dict[int, str] = {}
        rescued: dict[int, str] = {}
        if rare:
            _add_names(names, sort_unique(np.concatenate(rare)), read_names)
        for skill, groups in skills.items():
            if self._has_empty_split(groups, shared):  # Also after a group was moved for another skill.
                _add_names(names, groups, read_names)
                self._rescue_skill(skill, groups, shared, names, rescued)
        return {names[group]: skill for group, skill in rescued.items()}

    def _list_skill_groups(self) -> dict[str, GroupNumbers]:
        """List the free groups of each skill, by its name; skills are sorted."""
        members = sort_unique(np.concatenate([np.empty(0, np.int64), *self._members]))
        count = len(self.splits)
        bounds = np.searchsorted(members, np.arange(len(self._skills) + 1) * count).tolist()
        return {
            skill: members[bounds[number] : bounds[number + 1]] - number * count
            for skill, number in sorted(self._skills.items())
        }

    def _has_empty_split(self, groups: GroupNumbers, shared: Sequence[int]) -> bool:
        """Return whether none of the groups is in some split, though they are enough for all."""
        return len(groups) >= len(shared) and not self._count_groups(groups)[shared].all()

    def _count_groups(self, groups: GroupNumbers) -> NDArray[np.int64]:
        """Count the groups in each split."""
        return np.bincount(self.splits[groups], minlength=len(SPLITS))

    def _rescue_skill(
        self,
        skill: str,
        groups: GroupNumbers,
        shared: Sequence[int],
        names: Mapping[int, str],
        rescued: dict[int, str],
    ) -> None:
        """Move groups of a skill, one at most for each split that has none of them."""
        for missing in shared:
            counts = self._count_groups(groups).tolist()
            if counts[missing]:
                continue
            fullest = max(shared, key=lambda code: (counts[code], SPLITS[code]))
            movable = groups[self.splits[groups] == fullest].tolist()
            candidates = [group for group in movable if group not in rescued]
            if counts[fullest] > 1 and candidates:
                salt = f"{self._salt}/{SPLITS[missing]}"
                moved = min(
                    candidates, key=lambda group: (hash_to_fraction(names[group], salt), names[group])
                )
                self.splits[moved] = missing
                rescued[moved] = skill


def _add_names(names: dict[int, str], groups: GroupNumbers, read_names: ReadNames) -> None:
    """Add the names of groups that are not among `names`. groups: in ascending order."""
    unnamed = [group for group in groups.tolist() if group not in names]
    if unnamed:
        names.update(zip(unnamed, read_names(unnamed), strict=True))
