"""From a skill file to its skill, its records, and a diagnostic for all that does not parse."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ids import make_row_id
from exemplars.core.literals import Literal, format_literal
from exemplars.core.records import REDACTED, LabelledArgument, Mode, Origin, Reason, Record, Rejection
from exemplars.dataset.catalog import Skill
from exemplars.dataset.templates import TemplateError, fill_spans, list_slots
from stages.ingest.reading import Reading, SourceFacts, decoded_text, rejected
from stages.ingest.skills.calls import parse_call
from stages.ingest.skills.lines import Line, Outline, Pair, outline_of
from stages.ingest.skills.signature import skill_of_outline

REASONS: Final = {
    "other_skill": Reason.UNKNOWN_SKILL,
    "unknown_argument": Reason.UNKNOWN_SLOT,
    "duplicate_argument": Reason.DUPLICATE_SLOT,
    "missing_argument": Reason.MISSING_ARGUMENT,
    "invalid_value": Reason.INVALID_VALUE,
    "exemplar_mismatch": Reason.EXEMPLAR_MISMATCH,
}
"""The reason code of a diagnostic; of all others: `malformed_record`."""
_PUNCTUATION: Final = re.compile(r"[^\w\s<>]+")


def parse_skill_file(
    facts: SourceFacts, path: str, data: bytes, none_skill: str | None
) -> tuple[Reading, tuple[Diagnostic, ...]]:
    """What a skill file holds, and all diagnostics, in the order of its lines.

    path: relative to the root of the source. none_skill: the skill whose examples ask for nothing.
    Raises `UserError` for a file that is empty or not UTF-8.
    """
    text, unreadable = decoded_text(path, data)
    if text is None:
        raise UserError([unreadable] if unreadable else [])
    outline = outline_of(path, text)
    skill, problems = skill_of_outline(outline)
    sha256 = hash_content(data)
    records: list[Record] = []
    rejections: list[Rejection] = []
    diagnostics = [*outline.problems, *problems]
    for one in diagnostics:
        # A line that belongs to no pair has a row of its own, so that every diagnostic has one.
        origin = Origin(path, sha256, str(one.line))
        rejections.append(rejected(facts, origin, _reason(one), [one]))
    for pair in outline.pairs:
        origin = Origin(path, sha256, str(pair.user.line))
        row = _row(facts, origin, outline, pair, skill, none_skill, problems)
        if isinstance(row, Record):
            records.append(row)
        else:
            rejection, found = row
            rejections.append(rejection)
            diagnostics += found
    skills = () if skill is None or skill.name == none_skill else (skill,)
    diagnostics.sort(key=lambda one: (one.line or 0, one.column or 0, one.code))
    return Reading(tuple(records), _merged(rejections), skills), tuple(diagnostics)


def _row(
    facts: SourceFacts,
    origin: Origin,
    outline: Outline,
    pair: Pair,
    skill: Skill | None,
    none_skill: str | None,
    file_problems: tuple[Diagnostic, ...],
) -> Record | tuple[Rejection, list[Diagnostic]]:
    if pair.user.text == REDACTED:
        return rejected(facts, origin, Reason.ERASED, [], utterance=REDACTED), []
    found = list(pair.problems)
    labels: tuple[LabelledArgument, ...] = ()
    if skill is not None and pair.assistant is not None:
        call = parse_call(outline, pair.assistant, skill)
        found += call.problems
        labels, problem = _labels(outline, pair, call.arguments)
        if problem is not None and not call.problems:
            found.append(problem)
    if found or skill is None:
        reasons = found or list(file_problems)
        row = rejected(
            facts,
            origin,
            _reason(reasons[0]),
            reasons,
            skill=None if skill is None else skill.name,
            utterance=pair.user.text,
        )
        return row, found
    silent = skill.name == none_skill
    return Record(
        id=make_row_id(facts.name, origin),
        source=facts.name,
        utterance=pair.user.text,
        mode=Mode.NONE if silent else Mode.NORMAL,
        skill=None if silent else skill.name,
        service=None,
        arguments=() if silent else labels,
        context=(),
        group=_group(facts, skill, pair.user.text, labels),
        license=facts.license,
        origin=origin,
        exemplar=None if pair.exemplar is None else pair.exemplar.text,
        today=facts.today,
    )


def _labels(
    outline: Outline, pair: Pair, arguments: tuple[tuple[str, Literal], ...]
) -> tuple[tuple[LabelledArgument, ...], Diagnostic | None]:
    """The arguments, with their spans where the pair has a template."""
    if pair.exemplar is None:
        return tuple(LabelledArgument(slot, format_literal(value)) for slot, value in arguments), None
    line, utterance = pair.exemplar, pair.user.text
    names = [slot for slot, _ in arguments]
    try:
        spans = {one.slot: one for one in fill_spans(line.text, utterance, names)}
    except TemplateError as error:
        return (), _mismatch(outline, line, str(error), "the utterance, with each value replaced by <slot>")
    unknown = [name for name in list_slots(line.text) if name not in names and f"<{name}>" not in utterance]
    if unknown:
        return (), _mismatch(outline, line, f"<{unknown[0]}>", f"one of {', '.join(names) or 'no slot'}")
    return tuple(
        LabelledArgument(
            slot,
            format_literal(value),
            (utterance[span.start : span.end],) if (span := spans.get(slot)) else (),
            span.start if span else None,
            span.end if span else None,
        )
        for slot, value in arguments
    ), None


def _mismatch(outline: Outline, line: Line, found: str, expected: str) -> Diagnostic:
    return outline.problem(line, "exemplar_mismatch", found, expected, "correct the exemplar line")


def _group(facts: SourceFacts, skill: Skill, utterance: str, labels: tuple[LabelledArgument, ...]) -> str:
    """Examples that differ only in their values stand in one group, wherever in the file they are."""
    key = utterance.casefold()
    for label in sorted(labels, key=lambda one: -len(one.value)):
        said = (label.spoken[0] if label.spoken else label.value).casefold()
        if len(said) > 1:
            key = key.replace(said, f"<{label.slot}>")
    key = " ".join(_PUNCTUATION.sub("", key).split())
    return f"{facts.name}:{hashlib.sha256(f'{skill.name}{chr(10)}{key}'.encode()).hexdigest()[:16]}"


def _reason(diagnostic: Diagnostic) -> Reason:
    return REASONS.get(diagnostic.code, Reason.MALFORMED_RECORD)


def _merged(rejections: list[Rejection]) -> tuple[Rejection, ...]:
    """One row an id: several diagnostics of one line share it."""
    merged: dict[str, Rejection] = {}
    for one in rejections:
        known = merged.get(one.id)
        merged[one.id] = one if known is None else _joined(known, one)
    return tuple(merged.values())


def _joined(first: Rejection, second: Rejection) -> Rejection:
    return Rejection(
        id=first.id,
        source=first.source,
        stage=first.stage,
        reason=first.reason,
        message=f"{first.message}; {second.message}",
        origin=first.origin,
        group=first.group,
        skill=first.skill or second.skill,
        utterance=first.utterance or second.utterance,
    )
