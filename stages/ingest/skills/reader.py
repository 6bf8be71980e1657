"""From a skill file to its skill, its records, and a diagnostic for everything that does not parse."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic
from exemplars.core.ids import make_row_id
from exemplars.core.ledger import Problem, UnreadRecord, reject_row
from exemplars.core.records import REDACTED, LabelledArgument, Mode, Origin, Reason, Record, Rejection
from exemplars.core.slot_paths import Leaf
from exemplars.dataset.catalog import Skill
from exemplars.dataset.leaves import encode_leaf
from exemplars.dataset.templates import TemplateError, fill_spans, list_slots
from stages.ingest.file_listing import FileKind
from stages.ingest.reading import (
    STAGE,
    Reading,
    SourceInfo,
    collect_rows,
    decode_text,
    make_problem,
    make_unread,
)
from stages.ingest.skills.example_calls import parse_example_call
from stages.ingest.skills.outline import ExamplePair, Line, Outline, parse_outline
from stages.ingest.skills.signature import ParsedSignature, parse_signature

SKILL_FILES: Final = FileKind(("*.md", "*.markdown"), "skill example files (*.md)", rb"(?m)^### User:")
REASONS: Final = {
    "too_long": Reason.TOO_LONG,
    "unknown_skill": Reason.UNKNOWN_SKILL,
    "unknown_slot": Reason.UNKNOWN_SLOT,
    "duplicate_slot": Reason.DUPLICATE_SLOT,
    "missing_argument": Reason.MISSING_ARGUMENT,
    "invalid_value": Reason.INVALID_VALUE,
    "exemplar_mismatch": Reason.EXEMPLAR_MISMATCH,
}
"""The reason that a diagnostic's code stands for; for all other codes it is `malformed_record`."""
_PUNCTUATION: Final = re.compile(r"[^\w\s<>]+")


class _SkillFile(NamedTuple):
    source: SourceInfo
    outline: Outline
    sha256: str
    signature: ParsedSignature
    none_skill: str | None

    def make_origin(self, line: int | None) -> Origin:
        return Origin(self.outline.path, self.sha256, str(line))


def parse_skill_file(
    source: SourceInfo, path: str, data: bytes, none_skill: str | None
) -> tuple[Reading, tuple[Diagnostic, ...]]:
    """Parse a skill file; return what it holds, and all diagnostics in the order of its lines.

    path: relative to the root of the source. none_skill: the skill whose examples ask for nothing.
    Raises `UserError` if the file is empty or not UTF-8.
    """
    outline = parse_outline(path, decode_text(path, data))
    signature = parse_signature(outline)
    file = _SkillFile(source, outline, hash_content(data), signature, none_skill)
    diagnostics = [*outline.diagnostics, *signature.diagnostics]
    rows: list[Record | Rejection] = list(_reject_lines(file, diagnostics))
    for pair in outline.pairs:
        row, pair_diagnostics = _read_pair(file, pair)
        rows.append(row)
        diagnostics += pair_diagnostics
    diagnostics.sort(key=lambda diagnostic: (diagnostic.line or 0, diagnostic.column or 0, diagnostic.code))
    skill = signature.skill
    skills = () if skill is None or skill.name == none_skill else (skill,)
    return collect_rows(rows)._replace(skills=skills), tuple(diagnostics)


def _reject_lines(file: _SkillFile, diagnostics: Iterable[Diagnostic]) -> Iterable[Rejection]:
    """Reject each line that belongs to no pair and has a diagnostic, so that every diagnostic is in the ledger."""
    by_line: dict[int | None, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        by_line.setdefault(diagnostic.line, []).append(diagnostic)
    for line, line_diagnostics in by_line.items():
        yield _reject(make_unread(file.source, file.make_origin(line)), line_diagnostics)


def _reject(unread: UnreadRecord, diagnostics: Sequence[Diagnostic]) -> Rejection:
    problems = [
        make_problem(diagnostic, REASONS.get(diagnostic.code, Reason.MALFORMED_RECORD))
        for diagnostic in diagnostics
    ]
    return reject_row(unread, STAGE, problems)


def _read_pair(file: _SkillFile, pair: ExamplePair) -> tuple[Record | Rejection, list[Diagnostic]]:
    """Read a pair; return its row, and the diagnostics of the pair itself."""
    origin = file.make_origin(pair.user.number)
    if pair.user.text == REDACTED:
        erased = Problem(Reason.ERASED, found="", summary="the example was erased from the file")
        return reject_row(make_unread(file.source, origin), STAGE, [erased]), []
    skill = file.signature.skill
    diagnostics = list(pair.diagnostics)
    arguments: tuple[LabelledArgument, ...] = ()
    if skill is not None and pair.assistant is not None:
        call = parse_example_call(file.outline, pair.assistant, skill)
        diagnostics += call.diagnostics
        arguments, mismatch = _label_arguments(file.outline, pair, skill, call.leaves)
        if mismatch is not None and not call.diagnostics:
            diagnostics.append(mismatch)
    if skill is None or diagnostics:
        name = None if skill is None else skill.name
        unread = make_unread(file.source, origin, skill=name, utterance=pair.user.text)
        return _reject(unread, diagnostics or file.signature.diagnostics), diagnostics
    return _make_record(file, origin, pair, skill, arguments), []


def _make_record(
    file: _SkillFile,
    origin: Origin,
    pair: ExamplePair,
    skill: Skill,
    arguments: tuple[LabelledArgument, ...],
) -> Record:
    is_none = skill.name == file.none_skill
    return Record(
        id=make_row_id(file.source.name, origin),
        turn=make_row_id(file.source.name, origin),
        source=file.source.name,
        utterance=pair.user.text,
        mode=Mode.NONE if is_none else Mode.NORMAL,
        skill=None if is_none else skill.name,
        service=None,
        arguments=() if is_none else arguments,
        context=(),
        group=_make_group(file.source, skill, pair.user.text, arguments),
        license=file.source.license,
        origin=origin,
        exemplar=None if pair.exemplar is None else pair.exemplar.text,
        today=file.source.today,
    )


def _label_arguments(
    outline: Outline, pair: ExamplePair, skill: Skill, leaves: tuple[tuple[str, Leaf], ...]
) -> tuple[tuple[LabelledArgument, ...], Diagnostic | None]:
    """Build the arguments of a pair, with their spans if it has a template; or find why that does not fit."""
    values = {path: encode_leaf(leaf, skill.find_parameter(path)) for path, leaf in leaves}
    if pair.exemplar is None:
        return tuple(LabelledArgument(path, value) for path, value in values.items()), None
    template, utterance = pair.exemplar, pair.user.text
    try:
        spans = {span.slot: span for span in fill_spans(template.text, utterance, values, values)}
    except TemplateError as error:
        expected = "the utterance, with each value replaced by <slot>"
        return (), _describe_mismatch(outline, template, str(error), expected, summary=str(error))
    unknown = [
        slot for slot in list_slots(template.text) if slot not in values and f"<{slot}>" not in utterance
    ]
    if unknown:
        expected = f"one of {', '.join(values)}" if values else "no slot"
        return (), _describe_mismatch(outline, template, f"<{unknown[0]}>", expected)
    return tuple(
        LabelledArgument(
            path,
            value,
            (utterance[span.start : span.end],) if (span := spans.get(path)) else (),
            span.start if span else None,
            span.end if span else None,
        )
        for path, value in values.items()
    ), None


def _describe_mismatch(
    outline: Outline, line: Line, found: str, expected: str, summary: str = ""
) -> Diagnostic:
    fix = "correct the exemplar line"
    return outline.make_diagnostic(line, "exemplar_mismatch", found, expected, fix, summary)


def _make_group(
    source: SourceInfo, skill: Skill, utterance: str, arguments: Iterable[LabelledArgument]
) -> str:
    """Build one group for all examples that differ only in their values, wherever in the file they are."""
    key = utterance.casefold()
    for argument in sorted(arguments, key=lambda argument: -len(argument.value)):
        text = (argument.spoken[0] if argument.spoken else argument.value).casefold()
        if len(text) > 1:
            key = key.replace(text, f"<{argument.slot}>")
    key = " ".join(_PUNCTUATION.sub("", key).split())
    return source.make_group(hashlib.sha256(f"{skill.name}\n{key}".encode()).hexdigest()[:16])
