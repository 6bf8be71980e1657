"""FullExemplar JSONL: one labeled example per line. The format is described in docs/formats/jsonl.md."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from exemplars.core.digests import hash_content
from exemplars.core.errors import summarize_names
from exemplars.core.ids import make_row_id
from exemplars.core.ledger import Ledger, Problem, reject_row
from exemplars.core.literals import format_literal
from exemplars.core.records import (
    DONTCARE,
    REDACTED,
    LabelledArgument,
    Mode,
    Origin,
    Reason,
    Record,
    Rejection,
)
from exemplars.core.slot_paths import assemble_arguments, find_root
from exemplars.dataset.catalog import Skill, find_missing_parameters
from exemplars.dataset.leaves import decode_leaf, encode_leaf, is_leaf_of
from exemplars.dataset.parameter_schemas import parse_property
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.schema_inference import infer_schema
from exemplars.dataset.templates import TemplateError, fill_spans
from stages.ingest.jsonl_lines import (
    ArgumentLine,
    ExampleLine,
    decode_line,
    find_mistakes,
    find_turn_mistakes,
)
from stages.ingest.jsonl_turns import ReadCall, join_turns
from stages.ingest.reading import STAGE, Reading, SourceInfo, collect_rows, decode_text, make_unread
from stages.ingest.tools import TOOLS_FILE


def parse_jsonl_file(source: SourceInfo, path: str, data: bytes, skills: Iterable[Skill] = ()) -> Reading:
    """Parse the examples of a file; a line that is not an example is rejected.

    path: relative to the root of the source. skills: whose parameters say how values are written; those of others are
    text. Raises `UserError` if the file is empty or not UTF-8.
    """
    return fit_values(read_examples(source, path, data), skills)


def read_examples(source: SourceInfo, path: str, data: bytes) -> Reading:
    """Read the examples of a file, with their values as `encode_leaf` writes them for a parameter that is unknown.

    path: relative to the root of the source. Raises `UserError` if the file is empty or not UTF-8.
    """
    lines = decode_text(path, data).split("\n")
    sha256 = hash_content(data)
    calls = [
        call
        for number, line in enumerate(lines, 1)
        if line.strip()
        for call in _read_line(source, Origin(path, sha256, str(number)), line)
    ]
    return collect_rows(join_turns(calls))


def fit_values(reading: Reading, skills: Iterable[Skill]) -> Reading:
    """Write the values of records, which `read_examples` read, as their parameters need it.

    A value that its parameter cannot have, not even as text, is rejected: `null`, or an empty list or object.
    """
    by_name = {skill.name: skill for skill in skills}
    ledger = Ledger(STAGE)
    problems: dict[str, Problem] = {}
    records = []
    for record in reading.records:
        skill = by_name.get(record.skill or "")
        arguments = []
        for label in record.arguments:
            leaf = decode_leaf(label.value, None)
            parameter = None if skill is None else skill.find_parameter(label.slot)
            if problem := _find_misfit(leaf, label.slot, parameter):
                problems.setdefault(record.id, problem)
            value = format_literal(leaf) if parameter is None else encode_leaf(leaf, parameter)
            arguments.append(msgspec.structs.replace(label, value=value))
        records.append(msgspec.structs.replace(record, arguments=tuple(arguments)))
    kept = ledger.drop(records, problems)
    return reading._replace(records=tuple(kept), rejections=(*reading.rejections, *ledger.rejections))


def _find_misfit(leaf: object, slot: str, parameter: Parameter | None) -> Problem | None:
    expected = "a value" if parameter is None else f"a value of type {parameter.type or 'string'}"
    if leaf is None and (parameter is None or not parameter.accepts_null):
        fix = "leave out an argument that has no value"
        return Problem(Reason.INVALID_VALUE, f"null for slot {slot!r}", expected, fix, slot)
    if isinstance(leaf, list | dict) and parameter is not None and not is_leaf_of(leaf, parameter):
        found = f"an empty {'list' if isinstance(leaf, list) else 'object'} for slot {slot!r}"
        return Problem(Reason.INVALID_VALUE, found, expected, "correct the value", slot)
    return None


def reject_incomplete(reading: Reading, skills: Iterable[Skill], catalog: str = TOOLS_FILE) -> Reading:
    """Move to the ledger the requests without an argument that their skill requires, and the rest of their turns.

    skills: the catalog that the source gives. catalog: where it is, for messages.
    """
    by_name = {skill.name: skill for skill in skills}
    ledger = Ledger(STAGE)
    found = ((record.id, _find_missing(record, by_name, catalog)) for record in reading.records)
    problems = {row_id: problem for row_id, problem in found if problem is not None}
    records = ledger.drop(reading.records, problems)
    return reading._replace(records=tuple(records), rejections=(*reading.rejections, *ledger.rejections))


def _find_missing(record: Record, skills: Mapping[str, Skill], catalog: str) -> Problem | None:
    skill = None if record.skill is None else skills.get(record.skill)
    if skill is None or record.mode is Mode.NEGATIVE:
        return None
    missing = find_missing_parameters(skill, {find_root(argument.slot) for argument in record.arguments})
    if not missing:
        return None
    names = summarize_names(missing)
    return Problem(
        Reason.MISSING_ARGUMENT,
        found=f"no {names}",
        expected=f"the required {names}",
        fix=f"add what is missing, or correct `required` in {catalog}",
        slot=missing[0],
    )


def infer_skills(records: Iterable[Record]) -> tuple[Skill, ...]:
    """Infer a catalog from the calls of the examples, for a source without one; all parameters are optional.

    records: as `read_examples` returns them. The values `dontcare` and `None` say nothing about the type.
    """
    values: dict[str, dict[str, list[object]]] = {}
    services: dict[str, str | None] = {}
    for record in records:
        if record.skill is not None and record.utterance != REDACTED:
            parameters = values.setdefault(record.skill, {})
            services.setdefault(record.skill, record.service)
            for name, value in _assemble_call(record).items():
                parameters.setdefault(name, []).append(value)
    return tuple(
        Skill(
            name,
            parameters=tuple(_infer_parameter(*parameter) for parameter in parameters.items()),
            service=services[name],
            inferred=True,
        )
        for name, parameters in sorted(values.items())
    )


def _assemble_call(record: Record) -> dict[str, object]:
    """Assemble the arguments of a call; one whose paths contradict each other, which `compile` rejects, has none."""
    try:
        return assemble_arguments((label.slot, decode_leaf(label.value, None)) for label in record.arguments)
    except ValueError:
        return {}


def _infer_parameter(name: str, values: list[object]) -> Parameter:
    schema = infer_schema(value for value in values if value not in (None, DONTCARE)) or {"type": "string"}
    parameter = parse_property(name, schema)
    dontcare = parameter.type != "string" and DONTCARE in values
    return msgspec.structs.replace(parameter, dontcare=dontcare)


def _read_line(source: SourceInfo, origin: Origin, line: str) -> Iterator[ReadCall]:
    """Read the calls of a line: its own, or those of the whole turn that it is."""
    example = decode_line(origin, line)
    if isinstance(example, Problem):
        yield ReadCall(reject_row(make_unread(source, origin), STAGE, [example]))
        return
    if not example.calls:
        turn = None if example.turn is None else f"{source.name}:{origin.path}#turn/{example.turn}"
        yield ReadCall(read_call(source, origin, example, turn), turn, example.call)
        return
    turn = make_row_id(source.name, origin)
    mistakes = find_turn_mistakes(example)
    for number, call in enumerate(example.list_calls()):
        place = msgspec.structs.replace(origin, locator=f"{origin.locator}/calls/{number}")
        yield ReadCall(read_call(source, place, call, turn, mistakes), turn)


def read_call(
    source: SourceInfo,
    origin: Origin,
    example: ExampleLine,
    turn: str | None,
    mistakes: Iterable[Problem] = (),
) -> Record | Rejection:
    """Read one call, or reject it. turn: its id, unless it is alone. mistakes: of the whole line."""
    problems = [*mistakes, *find_mistakes(example)]
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
    return _make_record(source, origin, example, arguments, turn)


def _make_record(
    source: SourceInfo,
    origin: Origin,
    example: ExampleLine,
    arguments: tuple[LabelledArgument, ...],
    turn: str | None,
) -> Record:
    key = hashlib.sha256(example.utterance.casefold().encode()).hexdigest()[:16]
    row_id = make_row_id(source.name, origin)
    return Record(
        id=row_id,
        turn=turn or row_id,
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
        speaker=example.speaker,
        reply=example.reply,
    )


def _label_arguments(example: ExampleLine) -> tuple[LabelledArgument, ...]:
    """Build the arguments, with the spans that the line or its template gives. Raises `TemplateError`."""
    lines = example.list_arguments()
    spans = example.list_spans()
    if example.exemplar is not None and not spans and all(line.start is None for line in lines):
        values = {line.slot: format_literal(line.value) for line in lines}
        slot_spans = fill_spans(example.exemplar, example.utterance, values, values)
        spans = {span.slot: (span.start, span.end) for span in slot_spans}
        lines = [_add_surface(line, spans.get(line.slot), example.utterance) for line in lines]
    return tuple(
        LabelledArgument(
            line.slot,
            encode_leaf(line.value, None),
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
