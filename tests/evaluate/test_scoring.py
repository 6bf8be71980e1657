from __future__ import annotations

import pytest

from exemplars.dataset.catalog import Parameter, Skill
from exemplars.models.calls import Call, CallFormat
from stages.evaluate.scoring import Kind, Target, is_right, judged

WEATHER = Skill(
    "weather", parameters=(Parameter("location"), Parameter("day"), Parameter("days", type="integer"))
)
LIGHT = Skill("light", parameters=(Parameter("room"),))
SKILLS = {one.name: one for one in (WEATHER, LIGHT)}


def target(skill: str | None, **accepted: tuple[str, ...]) -> Target:
    return Target(skill, accepted, dict.fromkeys(accepted, "verbatim"), frozenset({"weather", "light"}))


BOSTON = target("weather", location=("Boston",), day=("2019-03-02", "tomorrow"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('weather(location="Boston", day="tomorrow")', Kind.RIGHT),
        ('weather(day="2019-03-02", location="boston")', Kind.RIGHT),
        ('light(room="Boston")', Kind.WRONG_SKILL),
        ("None", Kind.MISSED),
        ('weather(location="Boston")', Kind.MISSING_ARGUMENT),
        ('weather(location="Boston", day="tomorrow", days=2)', Kind.EXTRA_ARGUMENT),
        ('weather(location="Austin", day="tomorrow")', Kind.WRONG_VALUE),
        ('weather(location="Bostton", day="tomorrow")', Kind.MISSPELT),
        ('weather(location="Boston"', Kind.MALFORMED),
        ("The weather is nice", Kind.MALFORMED),
    ],
)
def test_kind_of_a_prediction(text: str, kind: Kind) -> None:
    assert judged(text, True, BOSTON, SKILLS, CallFormat.PYTHON).kind == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("weather(days=10)", Kind.RIGHT),
        ('weather(days="10")', Kind.WRONG_VALUE),
        ("weather(days=True)", Kind.WRONG_VALUE),
        ('weather(days="dontcare")', Kind.WRONG_VALUE),
    ],
)
def test_a_value_of_another_type_is_wrong(text: str, kind: Kind) -> None:
    days = target("weather", days=("10",))
    assert judged(text, True, days, SKILLS, CallFormat.PYTHON).kind == kind


@pytest.mark.parametrize(
    ("value", "accepted", "right"),
    [
        ("02134", "2134", False),
        ("10:30", "1030", False),
        ("7 a.m.", "7 am", True),
        (10, "10.0", True),
        (10.5, "ten", False),
    ],
)
def test_texts_are_not_compared_as_numbers(value: str | float, accepted: str, right: bool) -> None:
    assert is_right(value, (accepted,)) is right


def test_text_without_an_end_is_too_long_or_repetitive() -> None:
    assert judged("I think that", False, BOSTON, SKILLS, CallFormat.PYTHON).kind == Kind.TOO_LONG
    loop = "so it is what it is " * 6
    assert judged(loop, False, BOSTON, SKILLS, CallFormat.PYTHON).kind == Kind.REPETITIVE


def test_a_right_call_that_does_not_end_is_too_long() -> None:
    text = 'weather(location="Boston", day="tomorrow")'
    assert judged(text, False, BOSTON, SKILLS, CallFormat.PYTHON).kind == Kind.TOO_LONG
    verdict = judged("None\n\n", False, target(None), SKILLS, CallFormat.PYTHON)
    assert (verdict.kind, verdict.exact) == (Kind.TOO_LONG, 0)


def test_a_number_beyond_all_floats_is_a_wrong_value() -> None:
    assert is_right(int("9" * 310), ("5",)) is False


def test_call_where_nothing_is_right_is_invented() -> None:
    verdict = judged('weather(location="x")', True, target(None), SKILLS, CallFormat.PYTHON)
    assert (verdict.kind, verdict.exact, verdict.none_expected, verdict.none_right) == (
        Kind.INVENTED,
        0,
        1,
        0,
    )
    assert judged("None", True, target(None), SKILLS, CallFormat.PYTHON).exact == 1


def test_counts_of_a_prediction_that_is_half_right() -> None:
    verdict = judged(
        'weather(location="Boston", day="today", unit="K")', True, BOSTON, SKILLS, CallFormat.PYTHON
    )
    assert verdict.call == Call("weather", {"location": "Boston", "day": "today", "unit": "K"})
    assert (verdict.arguments_right, verdict.arguments_predicted, verdict.arguments_expected) == (1, 3, 2)
    assert (verdict.invented_skill, verdict.invented_parameters) == (0, 1)
    assert verdict.wrong_groundings == ("verbatim",)


def test_skill_that_the_prompt_does_not_show_is_invented() -> None:
    verdict = judged("fly()", True, BOSTON, SKILLS, CallFormat.PYTHON)
    assert (verdict.kind, verdict.invented_skill) == (Kind.WRONG_SKILL, 1)


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
    assert is_right(value, accepted) is right  # type: ignore[arg-type]
