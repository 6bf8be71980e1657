"""The figures of the benchmark of the tagger on dialogues, computed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from exemplars.core.records import Argument, Grounding, Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.questions import Question
from exemplars.models.tagger.calls import TaggedCall, TaggedTurn

pytest.importorskip("torch")
FIND = Skill(
    "Ferries_1_FindCrossing",
    service="Ferries_1",
    parameters=(
        Parameter("from_harbour"),
        Parameter("to_harbour"),
        Parameter("sailing_date"),
        Parameter("departs_at"),
        Parameter("takes_bicycles", type="boolean"),
    ),
)


def answer(*arguments: Argument) -> TaggedTurn:
    return TaggedTurn((TaggedCall(FIND.name, arguments, 0.0),), 0.0)


def say(slot: str, value: str, surface: str) -> Argument:
    return Argument(slot, value, surface, 0, len(surface), Grounding.NORMALIZED)


def make_turn(utterance: str, frames: dict[str, dict[str, list[str]]], *before: Turn) -> Any:
    """Make a user turn. frames: the state of each service."""
    from tagger_sgd import UserTurn

    listed = [{"service": service, "state": {"slot_values": state}} for service, state in frames.items()]
    return UserTurn("turn", "dialogue", Question(utterance, before), listed)


ASKED = Turn(Speaker.USER, "We plan to sail from Kiel on the 16th.")
OFFERED = Turn(Speaker.ASSISTANT, "The Sprotte makes that trip at 10:40 am.")
FIRST = {"from_harbour": ["Kiel"], "sailing_date": ["the 16th", "March 16th"]}
ACCEPTED = Argument("departs_at", "10:40", None, None, None, Grounding.CONTEXT)


def score(*answers: TaggedTurn) -> list[tuple[bool, float]]:
    from tagger_sgd import score_states

    chosen = {"Ferries_1": {**FIRST, "departs_at": ["10:40 am"]}, "Cafes_1": {"specialty": ["soup"]}}
    turns = [
        make_turn(ASKED.utterance, {"Ferries_1": FIRST}),
        make_turn("And the fare?", {"Ferries_1": FIRST}, ASKED, OFFERED),
        make_turn("Good, and where is soup?", chosen, ASKED, OFFERED),
    ]
    skills = {FIND.name: FIND, "Cafes_1_FindCafe": Skill("Cafes_1_FindCafe", service="Cafes_1")}
    rows = score_states(turns, answers, skills, {"Ferries_1"}, "states")
    return [(is_seen, value) for _, is_seen, value in rows]


def test_states_add_up_over_all_frames_also_of_turns_that_call_nothing() -> None:
    first = answer(say("from_harbour", "Kiel", "Kiel"), say("sailing_date", "2019-03-16", "the 16th"))
    nothing = TaggedTurn((), 0.0)
    # No call has the value of the cafe's frame.
    assert score(first, nothing, answer(ACCEPTED)) == [(True, 1.0), (True, 1.0), (True, 1.0), (False, 0.0)]
    assert score(first, nothing, nothing) == [(True, 1.0), (True, 1.0), (True, 0.0), (False, 0.0)]
    assert score(first, answer(ACCEPTED), nothing) == [(True, 1.0), (True, 0.0), (True, 1.0), (False, 0.0)]


def test_a_value_of_an_earlier_turn_is_written_as_it_was_said_there() -> None:
    from tagger_sgd import find_spoken

    question = Question("Good", (ASKED, OFFERED))
    assert find_spoken(ACCEPTED, question, FIND) == "10:40 am"
    assert find_spoken(say("sailing_date", "2019-03-16", "the 16th"), question, FIND) == "the 16th"
    listed = Skill("s", parameters=(Parameter("seats", enum=("1", "2")),))
    assert find_spoken(say("seats", "2", "two"), question, listed) == "2"
