from __future__ import annotations

from exemplars.core.conditions import Condition
from exemplars.core.records import Speaker
from exemplars.core.slot_paths import format_path
from exemplars.models.rows import Answer, TargetCall
from stages.evaluate.slices import group_by_slice
from tests.chat_rows import make_training_row


def target(*slots: str, grounding: str = "verbatim") -> TargetCall:
    return TargetCall("a", tuple(Answer(slot, "x", ("x",), grounding) for slot in slots))


def test_turns_are_grouped_by_their_calls_and_by_how_these_are_filled() -> None:
    rows = [
        make_training_row(calls=()),
        make_training_row(calls=(target("who", format_path(("day of week",))),)),
        make_training_row(calls=(target("dishes[0].name"), target("who", grounding="composed"))),
        make_training_row(calls=(target(),) * 5, speaker=Speaker.TOOL),
    ]
    slices = group_by_slice(rows, frozenset(), Condition.ORACLE)
    assert {
        name: slices[name] for name in ("calls in the turn", "composed", "nested", "follows a tool result")
    } == {
        "calls in the turn": {"0": [0], "1": [1], "2": [2], "4 or more": [3]},
        "composed": {"no": [1, 3], "yes": [2]},
        "nested": {"no": [1, 3], "yes": [2]},
        "follows a tool result": {"no": [0, 1, 2], "yes": [3]},
    }
