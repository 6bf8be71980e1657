from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stages.render.tool_choice import assign_tools, sample_tools
from stages.render.tool_needs import ToolNeed

NAMES = ["alarm", "call", "light", "music", "timer", "weather"]


def test_the_needed_tool_is_among_distractors() -> None:
    assert sorted(sample_tools(["call"], (), NAMES, 2, "k")) == ["alarm", "call", "music"]


def test_without_a_needed_tool_one_more_distractor_is_sampled() -> None:
    assert len(sample_tools([], (), NAMES, 2, "k")) == 3


def test_few_skills_are_all_shown() -> None:
    assert sample_tools(["call"], (), ["call"], 5, "k") == ["call"]
    assert sample_tools([], ("call",), ["call"], 5, "k") == []


@given(
    st.lists(st.sampled_from(NAMES), max_size=3, unique=True),
    st.sets(st.sampled_from(NAMES)),
    st.integers(0, 8),
    st.text(max_size=9),
)
def test_the_sample_is_stable_and_has_no_other_right_answer(
    needed: list[str], excluded: set[str], distractors: int, key: str
) -> None:
    others = excluded - set(needed)
    shown = sample_tools(needed, others, NAMES, distractors, key)
    assert shown == sample_tools(needed, others, NAMES[::-1], distractors, key)
    assert len(shown) == len(set(shown)) <= distractors + max(1, len(needed))
    assert not set(shown) & others
    assert set(needed) <= set(shown)


def test_the_position_of_the_needed_tool_does_not_give_it_away() -> None:
    positions = {sample_tools(["call"], (), NAMES, 2, str(key)).index("call") for key in range(50)}
    assert positions == {0, 1, 2}


NEEDS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
        st.sets(st.sampled_from(NAMES), max_size=2),
    ),
    max_size=30,
).map(
    lambda cases: [
        ToolNeed(str(number), tuple(tools), frozenset(excluded.difference(tools)), f"k{number}")
        for number, (tools, excluded) in enumerate(cases)
    ]
)


@given(NEEDS, st.integers(0, 4), st.integers(1, 9))
def test_each_row_is_shown_what_it_needs_and_nothing_that_it_excludes(
    needs: list[ToolNeed], distractors: int, rows_per_list: int
) -> None:
    shown = assign_tools(needs, NAMES, distractors, rows_per_list)
    assert shown.keys() == {need.id for need in needs}
    for need in needs:
        tools = shown[need.id]
        assert len(tools) == len(set(tools)) <= distractors + max(1, len(need.tools))
        assert set(need.tools) <= set(tools)
        assert not need.excluded & set(tools)


def test_rows_share_lists_whose_tools_change_from_round_to_round() -> None:
    needs = [
        ToolNeed(f"{name}{number}", (name,), frozenset(), f"{name}{number}")
        for name in NAMES
        for number in range(6)
    ]
    shown = assign_tools(needs, NAMES, 2, 6)
    lists = list(shown.values())
    # Two rows of each of three skills per list: three rounds of two lists, with six rows each.
    assert sorted(lists.count(tools) for tools in set(lists)) == [6, 6, 6, 6, 6, 6]
    assert assign_tools(needs[::-1], NAMES[::-1], 2, 6) == shown
