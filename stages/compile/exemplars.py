"""From a record to its exemplar, or to the reason why it has none."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from exemplars.core.digests import hash_meaning
from exemplars.core.errors import quote_text, suggest_name, summarize_names
from exemplars.core.ledger import Problem, reject_row
from exemplars.core.literals import format_literal
from exemplars.core.records import (
    DONTCARE,
    Argument,
    Exemplar,
    LabelledArgument,
    Mode,
    Reason,
    Record,
    Rejection,
)
from exemplars.core.slot_paths import find_root, format_path, generalize_path
from exemplars.dataset.catalog import Skill, find_missing_parameters
from exemplars.dataset.json_schemas import walk_schema
from exemplars.dataset.leaves import decode_leaf, is_leaf_of
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.templates import write_template
from stages.compile.alignment import Evidence, align_arguments
from stages.compile.lexicon import Lexicon
from stages.compile.schema_checks import find_schema_problems

_DONTCARE_FIX: Final = (
    "leave the argument out, or let the tool accept it: add `dontcare` to its enum, or `x-dontcare`"
)
_NOTATIONS: Final = {"time": re.compile(r"\d{1,2}:\d\d"), "date": re.compile(r"\d{4}-\d\d-\d\d")}
"""How the built-in recognizers write a time and a date."""
_SHOWN: Final = 1_000
"""The length in code points up to which a template is quoted, so that it can be copied from the message."""


class SourceRules(NamedTuple):
    """What differs between sources."""

    composes: bool = False
    """The model writes the values that no single mention in the conversation explains (`ungrounded: compose`)."""
    adopted: frozenset[str] = frozenset()
    """The skills that the source calls and another source defines: its calls were never checked for completeness."""


_NO_RULES: Final = SourceRules()


def compile_record(
    record: Record, skills: Mapping[str, Skill], lexicon: Lexicon, rules: SourceRules = _NO_RULES
) -> Exemplar | Rejection:
    """Compile a record into its exemplar, or into its rejection with everything that is wrong.

    skills: the catalog, by name. rules: of the record's source.
    """
    parameters, problems = _resolve_parameters(record, skills, rules)
    if not problems and record.skill is not None:
        problems = find_schema_problems(record.arguments, skills[record.skill])
    if not problems and record.skill in rules.adopted:
        problems = _find_missing(record, skills[record.skill])
    if problems:
        return reject_row(record, "compile", problems)
    has_template = record.exemplar is not None
    today = _parse_date(record.today)
    evidence = Evidence(record.utterance, record.context, today, lexicon, has_template, rules.composes)
    arguments, unaligned = align_arguments(record.arguments, parameters, evidence)
    if unaligned:
        return reject_row(record, "compile", unaligned)
    template = write_template(record.utterance, arguments)
    if has_template and template != record.exemplar:
        return reject_row(record, "compile", [_report_template(record, template)])
    return _build_exemplar(record, template, arguments)


def _build_exemplar(record: Record, template: str, arguments: tuple[Argument, ...]) -> Exemplar:
    return Exemplar(
        id=record.id,
        digest=hash_meaning(record, arguments),
        source=record.source,
        turn=record.turn,
        call=record.call,
        service=record.service,
        skill=record.skill,
        mode=record.mode,
        speaker=record.speaker,
        utterance=record.utterance,
        exemplar=template,
        arguments=arguments,
        reply=record.reply,
        context=record.context,
        group=record.group,
        license=record.license,
        origin=record.origin,
        split=record.split,
    )


def _find_missing(record: Record, skill: Skill) -> list[Problem]:
    """Find the required parameters that a request leaves out."""
    missing = find_missing_parameters(skill, {find_root(label.slot) for label in record.arguments})
    if not missing or record.mode is Mode.NEGATIVE:
        return []
    names = summarize_names(missing)
    fix = "add what is missing, or make it optional where the skill is defined"
    return [Problem(Reason.MISSING_ARGUMENT, f"no {names}", f"the required {names}", fix, missing[0])]


def _resolve_parameters(
    record: Record, skills: Mapping[str, Skill], rules: SourceRules
) -> tuple[list[Parameter], list[Problem]]:
    """Return the parameter that each argument fills, and what the catalog does not accept."""
    if record.skill is None:
        return [], [_report_unexpected(label) for label in record.arguments]
    skill = skills.get(record.skill)
    if skill is None:
        return [], [_report_unknown_skill(record.skill)]
    parameters, problems, filled = [], [], set()
    for label in record.arguments:
        parameter = skill.find_parameter(label.slot)
        if parameter is None:
            given = {other.slot for other in record.arguments}
            problems.append(_report_unknown_slot(label, skill, given))
            continue
        if label.slot in filled:
            problems.append(_report_duplicate_slot(label))
        filled.add(label.slot)
        invalid = _check_value(label, parameter, rules.composes)
        if invalid is not None:
            problems.append(invalid)
        parameters.append(parameter)
    return parameters, problems


def _check_value(label: LabelledArgument, parameter: Parameter, composes: bool) -> Problem | None:
    if label.value == DONTCARE and parameter.accepts_dontcare:
        return None
    leaf = decode_leaf(label.value, parameter)
    if leaf is None and parameter.accepts_null:
        return None
    if parameter.enum and format_literal(leaf) not in parameter.enum:
        expected = f"one of {', '.join(parameter.enum)}"
    elif not is_leaf_of(leaf, parameter):
        expected = f"a value of type {parameter.type}"
    elif not label.value and not composes:
        expected = "a value"
    elif parameter.recognizer in _NOTATIONS and _is_impossible(label.value, parameter.recognizer):
        expected = f"a {parameter.recognizer} that exists"
    else:
        return None
    return Problem(
        Reason.INVALID_VALUE,
        found=f"{quote_text(label.value)} for slot {label.slot!r}",
        expected=expected,
        fix=_DONTCARE_FIX if label.value == DONTCARE else "correct the value",
        slot=label.slot,
    )


def _is_impossible(value: str, recognizer: str) -> bool:
    """Return whether a value has the notation of a time or a date, but is none: 25:00, 2026-02-30."""
    if _NOTATIONS[recognizer].fullmatch(value) is None:
        return False
    try:
        if recognizer == "date":
            datetime.date.fromisoformat(value)
            return False
    except ValueError:
        return True
    hour, minute = map(int, value.split(":"))
    return hour > 24 or minute > 59


def _report_unexpected(label: LabelledArgument) -> Problem:
    return Problem(
        Reason.UNKNOWN_SLOT,
        found=f"argument {label.slot!r} without a skill",
        fix="remove it, or name the skill",
        slot=label.slot,
    )


def _report_unknown_skill(skill: str) -> Problem:
    return Problem(
        Reason.UNKNOWN_SKILL,
        found=f"skill {quote_text(skill)}",
        expected="a skill of the catalog",
        fix="correct its name, or add it to the catalog",
    )


def _report_unknown_slot(label: LabelledArgument, skill: Skill, given: Collection[str]) -> Problem:
    known = [parameter.name for parameter in skill.parameters]
    name, root = label.slot, skill.find_parameter(find_root(label.slot))
    if root is not None and root.schema is not None:
        places = (place for place, _ in walk_schema(root.schema, format_path((root.name,))))
        known = [place for place in dict.fromkeys(places) if place != root.name]
        name, given = generalize_path(name), ()
    return Problem(
        Reason.UNKNOWN_SLOT,
        found=f"slot {quote_text(label.slot)}",
        expected=f"one of {summarize_names(known, 20)}" if known else "no slot",
        fix=suggest_name(name, known, given) or "correct the slot",
        slot=label.slot,
    )


def _report_duplicate_slot(label: LabelledArgument) -> Problem:
    return Problem(
        Reason.DUPLICATE_SLOT,
        summary=f"slot {label.slot!r} is filled twice",
        fix="keep one of the values",
        slot=label.slot,
    )


def _report_template(record: Record, template: str) -> Problem:
    return Problem(
        Reason.EXEMPLAR_MISMATCH,
        found=f"the exemplar {quote_text(record.exemplar or '', _SHOWN)}",
        expected=f"{quote_text(template, _SHOWN)} from the utterance and its arguments",
        fix="correct the exemplar, or the spans",
    )


@functools.lru_cache(maxsize=64)
def _parse_date(today: str | None) -> datetime.date | None:
    return None if today is None else datetime.date.fromisoformat(today)
