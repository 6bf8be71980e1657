from __future__ import annotations

import pytest

from exemplars.dataset.catalog import Parameter, Skill
from exemplars.models.calls import Call, CallFormat
from stages.evaluate.scoring import ErrorKind, ExpectedCall, is_accepted, score_prediction

WEATHER = Skill(
    "weather", parameters=(Parameter("location"), Parameter("day"), Parameter("days", type="integer"))
)
LIGHT = Skill("light", parameters=(Parameter("room"),))
SKILLS = {skill.name: skill for skill in (WEATHER, LIGHT)}


def expect_call(skill: str | None, **accepted: tuple[str, ...]) -> ExpectedCall:
    return ExpectedCall(skill, accepted, dict.fromkeys(accepted, "verbatim"), frozenset({"weather", "light"}))


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
    assert score.call == Call("weather", {"location": "Boston", "day": "today", "unit": "K"})
    assert (score.arguments_correct, score.arguments_predicted, score.arguments_expected) == (1, 3, 2)
    assert (score.hallucinated_function, score.hallucinated_arguments) == (0, 1)
    assert score.wrong_groundings == ("verbatim",)


def test_a_function_that_the_prompt_does_not_show_is_hallucinated() -> None:
    score = score_prediction("fly()", True, BOSTON, SKILLS, CallFormat.PYTHON)
    assert (score.kind, score.hallucinated_function) == (ErrorKind.WRONG_SKILL, 1)


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
