"""The right calls of a turn, with all values that count as right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from exemplars.core.records import Argument, Exemplar, Grounding
from exemplars.dataset.catalog import Skill
from exemplars.dataset.leaves import build_arguments, decode_leaf, encode_leaf, rank_path
from exemplars.models.calls import Call
from exemplars.models.prompt_style import Values
from exemplars.models.rows import Answer, TargetCall
from exemplars.models.turns import TurnRows

_SPOKEN: Final = frozenset({Grounding.VERBATIM, Grounding.CASE, Grounding.NORMALIZED, Grounding.RECOGNIZED})
"""The kinds of grounding of a value that the utterance itself says."""


def build_target_calls(
    turn: TurnRows, skills: Mapping[str, Skill], values: Values = Values.SPOKEN
) -> tuple[TargetCall, ...]:
    """Build the right calls of a turn, in order. skills: the catalog, by name."""
    calls = []
    for row in turn.called_rows:
        assert row.skill is not None  # As `called_rows` demands.
        calls.append(TargetCall(row.skill, _build_answers(row, skills[row.skill], values)))
    return tuple(calls)


def build_call(target: TargetCall, skill: Skill) -> Call:
    """Build a call that a model is to make, its values typed by the catalog."""
    leaves = ((answer.slot, answer.value) for answer in target.answers)
    return Call(skill.name, build_arguments(leaves, skill))


def _build_answers(row: Exemplar, skill: Skill, values: Values) -> tuple[Answer, ...]:
    """Build the answers, in the order of the skill's parameters and of their schemas."""
    arguments = sorted(row.arguments, key=lambda argument: rank_path(argument.slot, skill))
    return tuple(_build_answer(argument, skill, values) for argument in arguments)


def _build_answer(argument: Argument, skill: Skill, values: Values) -> Answer:
    parameter = skill.find_parameter(argument.slot)
    is_free_text = (
        parameter is not None
        and not parameter.enum
        and isinstance(decode_leaf(argument.value, parameter), str)
        and parameter.type in ("string", None)
    )
    spoken = None
    if argument.surface is not None and argument.grounding in _SPOKEN and is_free_text:
        spoken = encode_leaf(argument.surface, parameter)
    value = spoken if spoken is not None and values == Values.SPOKEN else argument.value
    forms = (value, argument.value, spoken, *argument.accepted)
    accepted = dict.fromkeys(form for form in forms if form is not None)
    return Answer(argument.slot, value, tuple(accepted), argument.grounding)
