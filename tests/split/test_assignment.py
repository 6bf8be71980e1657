from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.ids import SPLITS, SplitName
from stages.split.assignment import GroupAssigner, choose_split
from stages.split.params import Ratios

RATIOS = Ratios(train=0.8, validation=0.1, test=0.1)
Row = tuple[str, str | None]


class Assignment(NamedTuple):
    splits: dict[str, str]
    rescued: dict[str, str]


def assign_groups(
    rows: Sequence[Row], prescribed: Mapping[str, SplitName], salt: str, ratios: Ratios, part: int = 7
) -> Assignment:
    """Assign the groups of rows (group, skill), a few rows at a time."""
    names = list(dict.fromkeys(group for group, _ in rows))
    assigner = GroupAssigner(len(names), salt, ratios)
    for group, split in prescribed.items():
        assigner.prescribe(np.array([names.index(group)], np.int32), np.array([SPLITS.index(split)], np.int8))
    for start in range(0, len(rows), part):
        groups, skills = zip(*rows[start : start + part], strict=True)
        numbers = np.array(list(map(names.index, groups)), np.int32)
        assigner.add_rows(numbers, pa.array(groups), pa.array(skills, pa.string()))
    rescued = assigner.rescue_skills(lambda groups: [names[group] for group in groups])
    return Assignment(
        {name: SPLITS[code] for name, code in zip(names, assigner.splits, strict=True)}, rescued
    )


GROUPS = st.lists(st.text("abcdef0123456789", min_size=1, max_size=8), max_size=60, unique=True)


def test_the_split_of_a_group_depends_on_its_name_and_the_salt_only() -> None:
    names = [f"skills:call.md/{number}" for number in range(12)]
    assert {choose_split(name, "exemplars-1", RATIOS) for name in names} == {"train"}
    assert [choose_split(name, "another", RATIOS) for name in names[:6]] == [
        "validation",
        "train",
        "train",
        "test",
        "train",
        "test",
    ]


def test_the_shares_are_close_to_the_ratios() -> None:
    splits = [choose_split(str(number), "salt", RATIOS) for number in range(10_000)]
    assert {name: splits.count(name) for name in ("train", "validation", "test")} == {
        "train": 8032,
        "validation": 996,
        "test": 972,
    }


@given(old=GROUPS, new=GROUPS)
def test_new_groups_move_no_old_one(old: list[str], new: list[str]) -> None:
    before = assign_groups([(group, None) for group in old], {}, "salt", RATIOS)
    after = assign_groups([(group, None) for group in [*new, *old]], {}, "salt", RATIOS)
    assert {group: after.splits[group] for group in old} == before.splits


@given(groups=GROUPS, seed=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(groups: list[str], seed: object) -> None:
    rows = [(group, f"skill {number % 3}") for number, group in enumerate(groups)]
    shuffled = list(rows)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    assert assign_groups(rows, {}, "salt", RATIOS) == assign_groups(shuffled, {}, "salt", RATIOS)


def test_a_prescribed_split_is_kept() -> None:
    prescribed: dict[str, SplitName] = {"a": "test", "b": "train", "c": "test"}
    rows = [(group, "call") for group in ("a", "b", "c")]
    assert assign_groups(rows, prescribed, "salt", RATIOS) == Assignment({**prescribed}, {})


@given(
    groups=st.lists(st.text("abcdef0123456789", min_size=1, max_size=8), min_size=3, max_size=40, unique=True)
)
def test_a_skill_with_enough_groups_is_in_every_split(groups: list[str]) -> None:
    splits = assign_groups([(group, "call") for group in groups], {}, "salt", RATIOS).splits
    assert set(splits.values()) == {"train", "validation", "test"}


def test_a_rescued_group_is_reported_with_its_skill() -> None:
    groups = [name for name in map(str, range(40)) if choose_split(name, "salt", RATIOS) == "train"][:4]
    assigned = assign_groups([(group, "call") for group in groups], {}, "salt", RATIOS)
    assert sorted(assigned.splits.values()) == ["test", "train", "train", "validation"]
    assert assigned.rescued == {group: "call" for group, split in assigned.splits.items() if split != "train"}


def test_a_skill_that_loses_its_only_group_of_a_split_to_another_skill_is_rescued_too() -> None:
    thirds = Ratios(train=0.4, validation=0.3, test=0.3)
    splits = {name: choose_split(name, "salt", thirds) for name in map(str, range(200))}
    train, validation, test = ([name for name in splits if splits[name] == split] for split in SPLITS)
    rows: list[Row] = [(group, "call") for group in (train[0], train[1], validation[0])]
    rescued = assign_groups(rows, {}, "salt", thirds).rescued
    [moved] = rescued
    shared: list[Row] = [(group, "text") for group in (moved, test[0], test[1], validation[1])]
    assigned = assign_groups([*rows, *shared], {}, "salt", thirds)
    assert {assigned.splits[group] for group, skill in shared} == {"train", "validation", "test"}
    assert assigned.rescued.keys() > {moved}


def test_a_skill_with_two_groups_stays_where_the_hash_puts_it() -> None:
    groups = [name for name in map(str, range(40)) if choose_split(name, "salt", RATIOS) == "train"][:2]
    assert assign_groups([(group, "call") for group in groups], {}, "salt", RATIOS).rescued == {}


def test_a_split_without_a_share_gets_nothing() -> None:
    halves = Ratios(train=0.5, validation=0.0, test=0.5)
    splits = assign_groups([(str(number), "call") for number in range(50)], {}, "salt", halves).splits
    assert set(splits.values()) == {"train", "test"}
