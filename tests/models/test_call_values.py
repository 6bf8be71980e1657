"""Values as a language model writes them, as the readers of grounding read them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from exemplars.core.records import Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Instance, Recognizer
from exemplars.models.call_values import ground_call
from exemplars.models.calls import Call
from exemplars.models.questions import Question

DISHES = {
    "type": "array",
    "items": {"type": "object", "properties": {"name": {"type": "string"}, "count": {"type": "integer"}}},
}
SKILL = Skill(
    "book",
    parameters=(
        Parameter("time", recognizer="time"),
        Parameter("day", recognizer="date"),
        Parameter("guests", type="integer"),
        Parameter("device", enum=("home", "work")),
        Parameter("room", recognizer="room"),
        Parameter("quiet", type="boolean"),
        Parameter("note"),
        Parameter("dishes", type="array", schema=DISHES),
    ),
)
ROOMS = {"room": Recognizer((Instance("conference", ("meeting room", "board room")),))}
TODAY = datetime.date(2026, 11, 27)


def ground(utterance: str, *context: str, **arguments: Any) -> list[tuple[Any, ...]]:
    """List slot, value, surface, start and grounding of the leaves of a call."""
    turns = [Turn(Speaker.USER, text) for text in context]
    question = Question(utterance, turns, today=TODAY)
    grounded = ground_call(Call("book", arguments), SKILL, question, ROOMS)
    return [
        (leaf.slot, leaf.value, leaf.surface, leaf.start, leaf.grounding.value) for leaf in grounded.arguments
    ]


@pytest.mark.parametrize(
    ("utterance", "arguments", "expected"),
    [
        (
            "wake me at half past 7",
            {"time": "half past 7"},
            ("time", "07:30", "half past 7", 11, "recognized"),
        ),
        ("wake me at 7", {"time": "7"}, ("time", "07:00", "7", 11, "recognized")),
        ("an alarm for 7", {"time": "7"}, ("time", "07:00", "7", 13, "recognized")),
        ("at 7 in the evening", {"time": "19:00"}, ("time", "19:00", "7 in the evening", 3, "recognized")),
        ("come tomorrow", {"day": "tomorrow"}, ("day", "2026-11-28", "tomorrow", 5, "recognized")),
        ("for two people", {"guests": "two"}, ("guests", "2", "two", 4, "normalized")),
        ("for two people", {"guests": 2}, ("guests", "2", "two", 4, "normalized")),
        ("Work please", {"device": "Work"}, ("device", "work", "Work", 0, "case")),
        ("on the landline", {"device": "home"}, ("device", "home", None, None, "categorical")),
        ("the Board Room", {"room": "board room"}, ("room", "conference", "Board Room", 4, "recognized")),
        ("shut up", {"quiet": True}, ("quiet", "True", None, None, "boolean")),
        (
            "say hello to all",
            {"note": "hello to all"},
            ("note", "hello to all", "hello to all", 4, "verbatim"),
        ),
        ("greet them", {"note": "hello"}, ("note", "hello", None, None, "composed")),
        ("whenever", {"time": "whenever"}, ("time", "whenever", "whenever", 0, "verbatim")),
    ],
)
def test_a_value_is_read_and_its_words_are_found(
    utterance: str, arguments: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert ground(utterance, **arguments) == [expected]


def test_a_value_of_an_earlier_turn_has_no_span() -> None:
    assert ground("yes", "a table for Ann", note="Ann") == [("note", "Ann", None, None, "context")]


def test_the_leaves_of_lists_are_read_one_by_one_and_put_together_again() -> None:
    call = Call("book", {"dishes": [{"name": "soup", "count": "two"}, {"name": "tea", "count": 3}]})
    grounded = ground_call(call, SKILL, Question("two soups and three teas"))
    assert [leaf.slot for leaf in grounded.arguments] == [
        "dishes[0].name",
        "dishes[0].count",
        "dishes[1].name",
        "dishes[1].count",
    ]
    assert grounded.build_call(SKILL).arguments == {
        "dishes": [{"name": "soup", "count": 2}, {"name": "tea", "count": 3}]
    }
