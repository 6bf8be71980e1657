from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameter_schemas import parse_property
from exemplars.dataset.parameters import Parameter
from exemplars.models.call_matching import ExpectedCall, is_accepted
from exemplars.models.calls import Call, CallFormat, format_calls
from exemplars.models.scoring import ErrorKind, ExpectedAnswer, Score, score_prediction

WEATHER = Skill(
    "weather", parameters=(Parameter("location"), Parameter("day"), Parameter("days", type="integer"))
)
LIGHT = Skill("light", parameters=(Parameter("room"),))
SKILLS = {skill.name: skill for skill in (WEATHER, LIGHT)}


TOOLS = frozenset(SKILLS)


def expect_call(skill: str | None, **accepted: tuple[str, ...]) -> ExpectedAnswer:
    call = () if skill is None else (ExpectedCall(skill, accepted, dict.fromkeys(accepted, "verbatim")),)
    return ExpectedAnswer(call, TOOLS)


BOSTON = expect_call("weather", location=("Boston",), day=("2019-03-02", "tomorrow"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('weather(location="Boston", day="tomorrow")', ErrorKind.RIGHT),
        ('weather(day="2019-03-02", location="boston")', ErrorKind.RIGHT),
        ('light(room="Boston")', ErrorKind.WRONG_SKILL),
        ("None", ErrorKind.MISSED),
        ('weather(location="Boston")', ErrorKind.MISSING_ARGUMENT),
        ('weather(location="Boston", day="tomorrow", days=2)', ErrorKind.EXTRA_ARGUMENT),
        ('weather(location="Austin", day="tomorrow")', ErrorKind.WRONG_VALUE),
        ('weather(location="Bostton", day="tomorrow")', ErrorKind.MISSPELLED),
        ('weather(location="Boston"', ErrorKind.MALFORMED),
        ("The weather is nice", ErrorKind.MALFORMED),
        ('[weather(location="Boston", day="tomorrow")]', ErrorKind.RIGHT),
        ('[weather(location="Boston", day="tomorrow"), light()]', ErrorKind.EXTRA_CALL),
        ('[light(), weather(location="Austin")]', ErrorKind.EXTRA_CALL),
        ("[light(), light()]", ErrorKind.WRONG_SKILL),
    ],
)
def test_kind_of_a_prediction(text: str, kind: ErrorKind) -> None:
    assert score_prediction(text, True, BOSTON, SKILLS, CallFormat.PYTHON).kind == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("weather(days=10)", ErrorKind.RIGHT),
        ('weather(days="10")', ErrorKind.WRONG_VALUE),
        ("weather(days=True)", ErrorKind.WRONG_VALUE),
        ('weather(days="dontcare")', ErrorKind.WRONG_VALUE),
    ],
)
def test_a_value_of_another_type_is_wrong(text: str, kind: ErrorKind) -> None:
    days = expect_call("weather", days=("10",))
    assert score_prediction(text, True, days, SKILLS, CallFormat.PYTHON).kind == kind


@pytest.mark.parametrize(
    ("value", "accepted", "right"),
    [
        ("02134", "2134", False),
        ("10:30", "1030", False),
        ("7 a.m.", "7 am", True),
        (10, "10.0", True),
        (10.5, "ten", False),
        ("C", "C++", False),
        ("c++", "C++.", True),
        ("-5", "5", False),
        ("5", "-5", False),
        ("3+4", "3*4", False),
        ("1.5", "15", False),
        ("👍", "👎", False),
        ("मीरा", "मेरा", False),
        ("O’Brien", "o'brien", True),
        (-5, "5", False),
        (12345678901234567890, "12345678901234567891", False),
        (True, "1", False),
        (1, "True", False),
    ],
)
def test_texts_are_not_compared_as_numbers(value: str | float, accepted: str, right: bool) -> None:
    assert is_accepted(value, (accepted,)) is right


def test_text_without_an_end_is_too_long_or_repetitive() -> None:
    assert (
        score_prediction("I think that", False, BOSTON, SKILLS, CallFormat.PYTHON).kind == ErrorKind.TOO_LONG
    )
    loop = "so it is what it is " * 6
    assert score_prediction(loop, False, BOSTON, SKILLS, CallFormat.PYTHON).kind == ErrorKind.REPETITIVE


def test_a_correct_call_that_does_not_end_is_too_long() -> None:
    text = 'weather(location="Boston", day="tomorrow")'
    assert score_prediction(text, False, BOSTON, SKILLS, CallFormat.PYTHON).kind == ErrorKind.TOO_LONG
    score = score_prediction("None\n\n", False, expect_call(None), SKILLS, CallFormat.PYTHON)
    assert (score.kind, score.exact) == (ErrorKind.TOO_LONG, 0)


def test_a_number_beyond_all_floats_is_a_wrong_value() -> None:
    assert is_accepted(int("9" * 310), ("5",)) is False


def test_a_call_where_none_is_expected_is_irrelevant() -> None:
    score = score_prediction('weather(location="x")', True, expect_call(None), SKILLS, CallFormat.PYTHON)
    assert (score.kind, score.exact, score.none_expected, score.none_correct) == (
        ErrorKind.IRRELEVANT_CALL,
        0,
        1,
        0,
    )
    assert score_prediction("None", True, expect_call(None), SKILLS, CallFormat.PYTHON).exact == 1


def test_counts_of_a_prediction_that_is_half_right() -> None:
    score = score_prediction(
        'weather(location="Boston", day="today", unit="K")', True, BOSTON, SKILLS, CallFormat.PYTHON
    )
    assert score.calls == (Call("weather", {"location": "Boston", "day": "today", "unit": "K"}),)
    assert (score.arguments_correct, score.arguments_predicted, score.arguments_expected) == (1, 3, 2)
    assert (score.hallucinated_functions, score.hallucinated_arguments) == (0, 1)
    assert score.wrong_groundings == ("verbatim",)


def test_a_function_that_the_prompt_does_not_show_is_hallucinated() -> None:
    score = score_prediction("fly()", True, BOSTON, SKILLS, CallFormat.PYTHON)
    assert (score.kind, score.hallucinated_functions) == (ErrorKind.WRONG_SKILL, 1)


@pytest.mark.parametrize(
    ("value", "accepted", "right"),
    [
        (5, ("5",), True),
        (5.0, ("5",), True),
        ("5", ("five", "5"), True),
        (True, ("True",), True),
        (True, ("False",), False),
        ("half past seven", ("Half past seven!",), True),
        ("", ("",), True),
        ("...", ("!!!",), False),
    ],
)
def test_values_are_compared_as_values(value: object, accepted: tuple[str, ...], right: bool) -> None:
    assert is_accepted(value, accepted) is right  # type: ignore[arg-type]


def expect_calls(*calls: tuple[str, dict[str, tuple[str, ...]]]) -> ExpectedAnswer:
    expected = (
        ExpectedCall(skill, accepted, dict.fromkeys(accepted, "context")) for skill, accepted in calls
    )
    return ExpectedAnswer(tuple(expected), TOOLS)


TWO = expect_calls(
    ("weather", {"location": ("Boston",), "days": ("2",)}),
    ("weather", {"location": ("Rome",)}),
    ("light", {}),
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('[weather(location="Boston", days=2), weather(location="Rome"), light()]', ErrorKind.RIGHT),
        ('[light(), weather(location="Rome"), weather(days=2, location="Boston")]', ErrorKind.RIGHT),
        ('[weather(location="Boston", days=2), weather(location="Rome")]', ErrorKind.MISSING_CALL),
        ('weather(location="Boston", days=2)', ErrorKind.MISSING_CALL),
        ('[weather(location="Boston", days=2), light(), light()]', ErrorKind.WRONG_SKILL),
        ('[weather(location="Boston", days=2), weather(location="Rome"), fly()]', ErrorKind.WRONG_SKILL),
        (
            '[weather(location="Boston", days=2), weather(location="Rome"), light(), light()]',
            ErrorKind.EXTRA_CALL,
        ),
        ('[weather(location="Boston", days=3), weather(location="Rome"), light()]', ErrorKind.WRONG_VALUE),
        ('[weather(location="Bostton", days=2), weather(location="Rome"), light()]', ErrorKind.MISSPELLED),
        ('[weather(location="Boston"), weather(location="Rome"), light()]', ErrorKind.MISSING_ARGUMENT),
        (
            '[weather(location="Boston", days=2), weather(location="Rome"), light(room="x")]',
            ErrorKind.EXTRA_ARGUMENT,
        ),
        ("None", ErrorKind.MISSED),
        ("[light(), weather", ErrorKind.MALFORMED),
    ],
)
def test_kind_of_a_prediction_of_several_calls(text: str, kind: ErrorKind) -> None:
    assert score_prediction(text, True, TWO, SKILLS, CallFormat.PYTHON).kind == kind


def test_counts_of_several_calls_are_of_the_best_matching() -> None:
    text = '[weather(location="Rome", days=5), fly(to="x"), weather(location="Boston", days=2)]'
    score = score_prediction(text, True, TWO, SKILLS, CallFormat.PYTHON)
    assert score._replace(calls=()) == Score(
        kind=ErrorKind.WRONG_SKILL,
        calls=(),
        exact=0,
        calls_compared=3,
        skill_correct=2,
        arguments_correct=3,
        arguments_predicted=5,
        arguments_expected=3,
        none_correct=0,
        none_predicted=0,
        none_expected=0,
        well_formed=1,
        calls_predicted=3,
        hallucinated_functions=1,
        hallucinated_arguments=1,
        wrong_groundings=(),
    )


def test_a_value_that_may_be_missing_is_not_counted_where_it_is() -> None:
    expected = expect_call("weather", location=("Boston",), day=("today", ""))
    score = score_prediction('weather(location="Boston")', True, expected, SKILLS, CallFormat.PYTHON)
    assert (score.kind, score.arguments_expected, score.wrong_groundings) == (ErrorKind.RIGHT, 1, ())
    score = score_prediction('weather(day="Monday")', True, expected, SKILLS, CallFormat.PYTHON)
    assert (score.kind, score.arguments_expected, score.wrong_groundings) == (
        ErrorKind.WRONG_VALUE,
        2,
        ("verbatim", "verbatim"),
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("None", ErrorKind.RIGHT),
        ("Certainly", ErrorKind.RIGHT),
        ("It is sunny, (I think).", ErrorKind.RIGHT),
        ('"Sunny", they say', ErrorKind.RIGHT),
        ("weather(", ErrorKind.MALFORMED),
        ("[weather(", ErrorKind.MALFORMED),
        ("weather()", ErrorKind.IRRELEVANT_CALL),
    ],
)
def test_where_a_reply_is_expected_any_words_are_no_call(text: str, kind: ErrorKind) -> None:
    reply = ExpectedAnswer((), TOOLS, is_reply=True)
    score = score_prediction(text, True, reply, SKILLS, CallFormat.PYTHON)
    right = int(kind == ErrorKind.RIGHT)
    assert (score.kind, score.none_correct, score.exact) == (kind, right, right)


ORDER = Skill(
    "order",
    parameters=(
        parse_property(
            "dishes",
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string"},
                        "count": {"type": "integer"},
                        "spice": {"type": ["string", "null"]},
                        "extras": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        ),
        Parameter("table", type="integer"),
    ),
)


@pytest.mark.parametrize(
    ("dishes", "correct", "hallucinated"),
    [
        ('[{"name": "Soup!", "count": 2, "spice": None, "extras": []}]', 4, 0),
        ('[{"extras": [], "spice": None, "count": 2.0, "name": "broth"}]', 4 - 1, 0),
        ('[{"name": "soup", "count": "2", "spice": "None", "extras": ["x"]}]', 1, 0),
        ('[{"name": "soup", "count": True, "spice": "", "extras": {}}]', 1, 0),
        ('[{"count": 2}, {"name": "soup", "size": 1}]', 1, 1),
        ('{"name": "soup"}', 0, 1),
        ('"soup"', 0, 0),
    ],
)
def test_nested_values_are_compared_leaf_by_leaf_and_by_type(
    dishes: str, correct: int, hallucinated: int
) -> None:
    accepted = {
        "dishes[0].name": ("soup", "broth"),
        "dishes[0].count": ("2",),
        "dishes[0].spice": ("None",),
        "dishes[0].extras": ("[]",),
    }
    score = score_prediction(
        f"order(dishes={dishes})",
        True,
        ExpectedAnswer(
            (ExpectedCall("order", accepted, dict.fromkeys(accepted, "verbatim")),), frozenset({"order"})
        ),
        {"order": ORDER},
        CallFormat.PYTHON,
    )
    assert (score.arguments_correct, score.hallucinated_arguments, score.exact) == (
        correct,
        hallucinated,
        int(correct == 4),
    )
    assert (score.arguments_expected, len(score.wrong_groundings)) == (4, 4 - correct)


@given(
    st.permutations(range(4)),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2)), min_size=4, max_size=4),
)
def test_the_order_of_calls_does_not_matter(order: list[int], drawn: list[tuple[str, int]]) -> None:
    expected = ExpectedAnswer(
        tuple(ExpectedCall(skill, {"x": (str(value),)}, {"x": "verbatim"}) for skill, value in drawn), TOOLS
    )
    calls = [Call(drawn[place][0], {"x": drawn[place][1]}) for place in order]
    score = score_prediction(format_calls(calls, CallFormat.JSON), True, expected, {}, CallFormat.JSON)
    assert (score.kind, score.arguments_correct, score.skill_correct) == (ErrorKind.RIGHT, 4, 4)
