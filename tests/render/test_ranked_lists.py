from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stages.render.ranked_lists import assign_ranked_tools
from stages.render.tool_needs import ToolNeed

NAMES = ["alarm", "call", "light", "music", "timer", "weather"]


def need(row_id: str, *tools: str, excluded: tuple[str, ...] = ()) -> ToolNeed:
    return ToolNeed(row_id, tools, frozenset(excluded), row_id)


def test_prompts_show_the_best_ranked_tools_in_their_order() -> None:
    ranking = ["timer", "light", "alarm", "call", "music", "weather"]
    needs = [
        need("best", "timer"),
        need("worst", "weather"),
        need("none"),
        need("two", "music", "light"),
        need("other answer", "alarm", excluded=("timer",)),
    ]
    assert assign_ranked_tools(needs, [ranking] * 5, 2, 1) == {
        "best": ("timer", "light", "alarm"),
        "worst": ("timer", "light", "weather"),
        "none": ("timer", "light", "alarm"),
        "two": ("timer", "light", "alarm", "music"),
        "other answer": ("light", "alarm", "call"),
    }


def test_rows_with_the_same_best_tool_share_lists() -> None:
    needs = [need(f"r{number}", "timer") for number in range(6)]
    rankings = [["timer", *NAMES[place:3], *NAMES[:place], "music", "weather"] for place in (0, 1, 2)] * 2
    shown = assign_ranked_tools(needs, rankings, 2, 3)
    assert sorted(Counter(shown.values()).values()) == [3, 3]
    assert {tools[0] for tools in shown.values()} == {"timer"}
    assert all(set(tools) < {"timer", "alarm", "call", "light", "music"} for tools in shown.values())


NEEDS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
        st.sets(st.sampled_from(NAMES), max_size=2),
        st.permutations(NAMES),
    ),
    max_size=20,
)


@given(NEEDS, st.integers(0, 4), st.integers(1, 9))
def test_each_row_is_shown_what_it_needs_its_best_tool_and_nothing_that_it_excludes(
    cases: list[tuple[list[str], set[str], list[str]]], distractors: int, rows_per_list: int
) -> None:
    needs = [
        need(str(number), *tools, excluded=tuple(excluded.difference(tools)))
        for number, (tools, excluded, _) in enumerate(cases)
    ]
    shown = assign_ranked_tools(needs, [ranking for _, _, ranking in cases], distractors, rows_per_list)
    assert shown.keys() == {member.id for member in needs}
    for member, (_, _, ranking) in zip(needs, cases, strict=True):
        tools = shown[member.id]
        allowed = [name for name in ranking if name not in member.excluded]
        count = min(distractors + max(1, len(member.tools)), len(allowed))
        assert len(tools) == len(set(tools)) == count
        assert set(member.tools) <= set(tools) <= set(allowed)
        if distractors:
            assert tools[:1] == tuple(allowed[:1])
