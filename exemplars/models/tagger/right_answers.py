"""Answers of a tagger compared with the rows of their turns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exemplars.core.records import Argument, Exemplar
from exemplars.dataset.catalog import Skill
from exemplars.dataset.leaves import decode_leaf
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.texts import make_equality_key
from exemplars.models.tagger.calls import TaggedCall, TaggedTurn


def is_right(answer: TaggedTurn, exemplars: Iterable[Exemplar], skills: Mapping[str, Skill]) -> bool:
    """Return whether an answer has the calls of the rows of its turn and no others.

    A call is right if its skill and all its arguments are, in canonical form or as said. skills: the catalog by name.
    """
    if answer.problem is not None:
        return False
    calls = list(answer.calls)
    for exemplar in exemplars:
        if exemplar.skill is None:
            continue
        skill = skills.get(exemplar.skill)
        match = next((call for call in calls if _is_right_call(call, exemplar, skill)), None)
        if match is None:
            return False
        calls.remove(match)
    return not calls


def _is_right_call(call: TaggedCall, exemplar: Exemplar, skill: Skill | None) -> bool:
    if call.problem is not None or call.skill != exemplar.skill:
        return False
    values = {argument.slot: argument.value for argument in call.arguments}
    right = {argument.slot: argument for argument in exemplar.arguments}
    return values.keys() == right.keys() and all(
        _is_accepted(value, right[slot], (skill.find_parameter(slot) if skill else None) or Parameter(slot))
        for slot, value in values.items()
    )


def _is_accepted(value: str, argument: Argument, parameter: Parameter) -> bool:
    accepted = [argument.value, *argument.accepted]
    if argument.surface is not None and not parameter.enum and parameter.type in ("string", None):
        accepted.append(argument.surface)
    leaf, key = decode_leaf(value, parameter), make_equality_key(value)
    return any(decode_leaf(text, parameter) == leaf or make_equality_key(text) == key for text in accepted)
