"""FullExemplar JSONL: one labeled example per line. The format is described in docs/formats/jsonl.md."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from exemplars.core.digests import hash_content
from exemplars.core.errors import summarize_names
from exemplars.core.ids import make_row_id
from exemplars.core.ledger import Ledger, Problem, reject_row
from exemplars.core.literals import find_type, format_literal, parse_literal
from exemplars.core.records import DONTCARE, LabelledArgument, Mode, Origin, Reason, Record, Rejection
from exemplars.dataset.catalog import Parameter, Skill, find_missing_parameters
from exemplars.dataset.templates import TemplateError, fill_spans
from stages.ingest.jsonl_lines import ArgumentLine, ExampleLine, decode_line, find_mistakes
from stages.ingest.reading import STAGE, Reading, SourceInfo, collect_rows, decode_text, make_unread


def parse_jsonl_file(source: SourceInfo, path: str, data: bytes) -> Reading:
    """Parse the examples of a file; a line that is not an example is rejected.

    path: relative to the root of the source. Raises `UserError` if the file is empty or not UTF-8.
    """
    lines = decode_text(path, data).split("\n")
    sha256 = hash_content(data)
    return collect_rows(
        _read_line(source, Origin(path, sha256, str(number)), line)
        for number, line in enumerate(lines, 1)
        if line.strip()
    )


def reject_incomplete(reading: Reading, skills: Iterable[Skill]) -> Reading:
    """Move to the ledger the requests without an argument that their skill requires.

    skills: the catalog that the source gives.
    """
    by_name = {skill.name: skill for skill in skills}
    ledger = Ledger(STAGE)
    records = ledger.keep(reading.records, lambda record: _find_missing(record, by_name))
    return reading._replace(records=tuple(records), rejections=(*reading.rejections, *ledger.rejections))


def _find_missing(record: Record, skills: Mapping[str, Skill]) -> Problem | None:
    skill = None if record.skill is None else skills.get(record.skill)
    if skill is None or record.mode is Mode.NEGATIVE:
        return None
    missing = find_missing_parameters(skill, {argument.slot for argument in record.arguments})
    if not missing:
        return None
    names = summarize_names(missing)
    return Problem(
        Reason.MISSING_ARGUMENT,
        found=f"no {names}",
        expected=f"the required {names}",
        fix="add what is missing, or correct `required` in tools.json",
        slot=missing[0],
    )


def infer_skills(records: Iterable[Record]) -> tuple[Skill, ...]:
    """Infer a catalog from the calls of the examples, for a source without one; all parameters are optional.

    A parameter has the type `boolean`, `integer` or `number` if all of its values do, otherwise `string`. The value
    `dontcare` says nothing about the type.
    """
    values: dict[str, dict[str, list[str]]] = {}
    services: dict[str, str | None] = {}
    for record in records:
        if record.skill is not None:
            slots = values.setdefault(record.skill, {})
            services.setdefault(record.skill, record.service)
            for argument in record.arguments:
                slots.setdefault(argument.slot, []).append(argument.value)
    return tuple(
        Skill(
            name,
            parameters=tuple(_infer_parameter(slot, slot_values) for slot, slot_values in slots.items()),
            service=services[name],
            inferred=True,
        )
        for name, slots in sorted(values.items())
    )


def _infer_parameter(slot: str, values: list[str]) -> Parameter:
    types = {find_type(parse_literal(value, None)) for value in values if value != DONTCARE} or {"string"}
    if types == {"integer", "number"}:
        types = {"number"}
    type_ = types.pop() if len(types) == 1 else "string"
    return Parameter(slot, type=type_, dontcare=type_ != "string" and DONTCARE in values)


def _read_line(source: SourceInfo, origin: Origin, line: str) -> Record | Rejection:
    example = decode_line(origin, line)
    if isinstance(example, Problem):
        return reject_row(make_unread(source, origin), STAGE, [example])
    problems = find_mistakes(example)
    arguments: tuple[LabelledArgument, ...] = ()
    if not problems:
        try:
            arguments = _label_arguments(example)
        except TemplateError as error:
            fix = "write the utterance with each value replaced by <slot>, or give spans"
            problems = [Problem(Reason.EXEMPLAR_MISMATCH, found="", fix=fix, summary=str(error))]
    if problems:
        unread = make_unread(source, origin, skill=example.skill, utterance=example.utterance)
        return reject_row(unread, STAGE, problems)
    return _make_record(source, origin, example, arguments)


def _make_record(
    source: SourceInfo, origin: Origin, example: ExampleLine, arguments: tuple[LabelledArgument, ...]
) -> Record:
    key = hashlib.sha256(example.utterance.casefold().encode()).hexdigest()[:16]
    return Record(
        id=make_row_id(source.name, origin),
        turn=make_row_id(source.name, origin),
        source=source.name,
        utterance=example.utterance,
        mode=example.mode or (Mode.NONE if example.skill is None else Mode.NORMAL),
        skill=example.skill,
        service=example.service,
        arguments=arguments,
        context=tuple(example.context),
        group=source.make_group(example.group or key),
        license=example.license or source.license,
        origin=origin,
        exemplar=example.exemplar,
        split=example.split,
        today=source.today,
    )


def _label_arguments(example: ExampleLine) -> tuple[LabelledArgument, ...]:
    """Build the arguments, with the spans that the line or its template gives. Raises `TemplateError`."""
    lines = example.list_arguments()
    spans = dict(example.spans)
    if example.exemplar is not None and not spans and all(line.start is None for line in lines):
        values = {line.slot: format_literal(line.value) for line in lines}
        slot_spans = fill_spans(example.exemplar, example.utterance, values, values)
        spans = {span.slot: (span.start, span.end) for span in slot_spans}
        lines = [_add_surface(line, spans.get(line.slot), example.utterance) for line in lines]
    return tuple(
        LabelledArgument(
            line.slot,
            format_literal(line.value),
            () if line.surface is None else (line.surface,),
            *(spans.get(line.slot) or (line.start, line.end)),
        )
        for line in lines
    )


def _add_surface(line: ArgumentLine, span: tuple[int, int] | None, utterance: str) -> ArgumentLine:
    # The author's template says which text means the value, however different the two are.
    if span is None:
        return line
    return ArgumentLine(line.slot, line.value, utterance[span[0] : span[1]])
