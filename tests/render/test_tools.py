from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exemplars.dataset.catalog import Parameter, Skill
from stages.render.tools import Need, drawn_tools, signature, tools_of_rows

NAMES = ["alarm", "call", "light", "music", "timer", "weather"]


def test_signature_shows_types_and_listed_values() -> None:
    skill = Skill(
        "set_timer",
        parameters=(
            Parameter("minutes", type="integer"),
            Parameter("label"),
            Parameter("kind", enum=("egg", "tea")),
            Parameter("loud", type="boolean"),
            Parameter("factor", type="number"),
            Parameter("any", type=None),
        ),
    )
    assert signature(skill) == "set_timer(minutes:int, label, kind=egg|tea, loud:bool, factor:float, any)"
    assert signature(Skill("stop")) == "stop()"


def test_needed_tool_stands_among_distractors() -> None:
    assert sorted(drawn_tools("call", (), NAMES, 2, "k")) == ["alarm", "call", "music"]


def test_without_a_needed_tool_one_distractor_more_is_drawn() -> None:
    assert len(drawn_tools(None, (), NAMES, 2, "k")) == 3


def test_few_skills_are_all_shown() -> None:
    assert drawn_tools("call", (), ["call"], 5, "k") == ["call"]
    assert drawn_tools(None, ("call",), ["call"], 5, "k") == []


@given(
    st.sampled_from([None, *NAMES]), st.sets(st.sampled_from(NAMES)), st.integers(0, 8), st.text(max_size=9)
)
def test_draw_is_stable_and_holds_no_other_right_answer(
    needed: str | None, barred: set[str], distractors: int, key: str
) -> None:
    shown = drawn_tools(needed, barred - {needed or ""}, NAMES, distractors, key)
    assert shown == drawn_tools(needed, barred - {needed or ""}, NAMES[::-1], distractors, key)
    assert len(shown) == len(set(shown)) <= distractors + 1
    assert not set(shown) & (barred - {needed or ""})
    assert needed is None or needed in shown


def test_place_of_the_needed_tool_does_not_tell_it() -> None:
    places = {drawn_tools("call", (), NAMES, 2, str(key)).index("call") for key in range(50)}
    assert places == {0, 1, 2}


NEEDS = st.lists(
    st.tuples(st.sampled_from([None, *NAMES]), st.sets(st.sampled_from(NAMES), max_size=2)), max_size=30
).map(
    lambda drawn: [
        Need(str(number), tool, frozenset(barred - {tool}), f"k{number}")  # type: ignore[arg-type]
        for number, (tool, barred) in enumerate(drawn)
    ]
)


@given(NEEDS, st.integers(0, 4), st.integers(1, 9))
def test_each_row_is_shown_what_it_needs_and_nothing_that_is_barred(
    needs: list[Need], distractors: int, rows_a_list: int
) -> None:
    shown = tools_of_rows(needs, NAMES, distractors, rows_a_list)
    assert shown.keys() == {one.id for one in needs}
    for one in needs:
        tools = shown[one.id]
        assert len(tools) == len(set(tools)) <= distractors + 1
        assert one.tool is None or one.tool in tools
        assert not one.barred & set(tools)


def test_rows_share_lists_whose_tools_change_from_round_to_round() -> None:
    needs = [
        Need(f"{name}{number}", name, frozenset(), f"{name}{number}") for name in NAMES for number in range(6)
    ]
    shown = tools_of_rows(needs, NAMES, 2, 6)
    lists = list(shown.values())
    # Two of each of three skills to a list: three rounds of two lists, each for six rows.
    assert sorted(lists.count(one) for one in set(lists)) == [6, 6, 6, 6, 6, 6]
    assert tools_of_rows(needs[::-1], NAMES[::-1], 2, 6) == shown
