"""From a record to its FullExemplar, or to the reason why it is none."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping, Sequence
from typing import Final

from exemplars.core.digests import hash_row
from exemplars.core.errors import quote_text
from exemplars.core.literals import parse_literal
from exemplars.core.records import DONTCARE, Exemplar, LabelledArgument, Reason, Record, Rejection
from exemplars.dataset.catalog import Parameter, Skill
from exemplars.dataset.templates import write_template
from stages.compile.alignment import Problem, Text, place_arguments
from stages.compile.grounding import Lexicon

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def compile_record(record: Record, skills: Mapping[str, Skill], lexicon: Lexicon) -> Exemplar | Rejection:
    """The exemplar of a record, or its row of the ledger, with all that is wrong in one message.

    skills: the catalog, by name.
    """
    parameters, problems = _parameters(record, skills)
    if problems:
        return rejection(record, problems)
    settled = record.exemplar is not None
    text = Text(record.utterance, record.context, _date(record.today), lexicon, settled)
    arguments, unplaced = place_arguments(record.arguments, parameters, text)
    if unplaced:
        return rejection(record, unplaced)
    template = write_template(record.utterance, arguments)
    if settled and template != record.exemplar:
        return rejection(record, [_mismatch(record, template)])
    return Exemplar(
        id=record.id,
        digest=hash_row(record.utterance, record.context, record.skill, record.mode, arguments),
        source=record.source,
        service=record.service,
        skill=record.skill,
        mode=record.mode,
        utterance=record.utterance,
        exemplar=template,
        arguments=arguments,
        context=record.context,
        group=record.group,
        license=record.license,
        origin=record.origin,
        split=record.split,
    )


def rejection(record: Record, problems: Sequence[Problem]) -> Rejection:
    """The ledger's row of a record; the first problem gives the reason code."""
    place = f"{record.origin.path}#{record.origin.locator}"
    return Rejection(
        id=record.id,
        source=record.source,
        stage="compile",
        reason=problems[0].reason,
        message=f"{place}: " + "; ".join(problem.message for problem in problems),
        origin=record.origin,
        group=record.group,
        skill=record.skill,
        slot=problems[0].slot or None,
        utterance=record.utterance,
    )


def _parameters(record: Record, skills: Mapping[str, Skill]) -> tuple[list[Parameter], list[Problem]]:
    """The parameter that each argument fills, or what the catalog does not admit."""
    if record.skill is None:
        return [], [
            Problem(Reason.UNKNOWN_SLOT, one.slot, f"found argument {one.slot!r} without a skill; remove it")
            for one in record.arguments
        ]
    skill = skills.get(record.skill)
    if skill is None:
        message = (
            f"found skill {quote_text(record.skill)}, expected one of the catalog; add it, or correct it"
        )
        return [], [Problem(Reason.UNKNOWN_SKILL, "", message)]
    by_name = {one.name: one for one in skill.parameters}
    parameters, problems, filled = [], [], set()
    for label in record.arguments:
        parameter = by_name.get(label.slot)
        if parameter is None:
            known = ", ".join(by_name) or "none"
            message = f"found slot {quote_text(label.slot)}, expected one of {known}; correct the slot"
            problems.append(Problem(Reason.UNKNOWN_SLOT, label.slot, message))
            continue
        if label.slot in filled:
            message = f"found slot {label.slot!r} filled twice, expected once; keep one of the values"
            problems.append(Problem(Reason.DUPLICATE_SLOT, label.slot, message))
        filled.add(label.slot)
        problems += _value_problems(label, parameter)
        parameters.append(parameter)
    return parameters, problems


def _value_problems(label: LabelledArgument, parameter: Parameter) -> list[Problem]:
    if label.value == DONTCARE:
        return []
    expected = None
    if parameter.enum and label.value not in parameter.enum:
        expected = f"one of {', '.join(parameter.enum)}"
    elif parameter.type in _TYPES and not isinstance(
        parse_literal(label.value, parameter.type), _TYPES[parameter.type]
    ):
        expected = f"a value of type {parameter.type}"
    elif not label.value:
        expected = "a value"
    if expected is None:
        return []
    message = (
        f"found {quote_text(label.value)} of slot {label.slot!r}, expected {expected}; correct the value"
    )
    return [Problem(Reason.INVALID_VALUE, label.slot, message)]


def _mismatch(record: Record, template: str) -> Problem:
    message = (
        f"found the exemplar {quote_text(record.exemplar or '')}, expected {quote_text(template)}, which the utterance "
        "and its arguments give; correct the exemplar, or the spans"
    )
    return Problem(Reason.EXEMPLAR_MISMATCH, "", message)


@functools.lru_cache(maxsize=64)
def _date(today: str | None) -> datetime.date | None:
    return None if today is None else datetime.date.fromisoformat(today)
