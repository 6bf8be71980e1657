from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stages.split.assignment import Assignment, assign_groups, choose_split
from stages.split.params import Ratios

RATIOS = Ratios(train=0.8, validation=0.1, test=0.1)
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
    prescribed = {"a": "test", "b": "train", "c": "test"}
    rows = [(group, "call") for group in ("a", "b", "c")]
    assert assign_groups(rows, prescribed, "salt", RATIOS) == Assignment(prescribed, {})


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


def test_a_skill_with_two_groups_stays_where_the_hash_puts_it() -> None:
    groups = [name for name in map(str, range(40)) if choose_split(name, "salt", RATIOS) == "train"][:2]
    assert assign_groups([(group, "call") for group in groups], {}, "salt", RATIOS).rescued == {}


def test_a_split_without_a_share_gets_nothing() -> None:
    halves = Ratios(train=0.5, validation=0.0, test=0.5)
    splits = assign_groups([(str(number), "call") for number in range(50)], {}, "salt", halves).splits
    assert set(splits.values()) == {"train", "test"}
