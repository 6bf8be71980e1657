"""FullExemplar JSONL: one labelled example a line. The format is described in docs/formats/jsonl.md."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.ids import make_row_id
from exemplars.core.literals import format_literal
from exemplars.core.records import LabelledArgument, Mode, Origin, Reason, Record, Rejection, Turn
from exemplars.dataset.catalog import Parameter, Skill, parse_tool_definition
from exemplars.dataset.templates import TemplateError, fill_spans
from stages.ingest.reading import Reading, SourceFacts, decoded_text, rejected

Literal = str | int | float | bool


class ArgumentLine(msgspec.Struct, forbid_unknown_fields=True):
    """An argument with, optionally, the text that says it and where that text stands."""

    slot: str
    value: Literal
    surface: str | None = None
    start: int | None = None
    end: int | None = None


class ExampleLine(msgspec.Struct, forbid_unknown_fields=True):
    """One line of a file."""

    utterance: str
    skill: str | None = None
    arguments: dict[str, Literal] | list[ArgumentLine] = {}
    spans: dict[str, tuple[int, int]] = {}
    exemplar: str | None = None
    mode: Mode | None = None
    context: list[Turn] = []
    group: str | None = None
    service: str | None = None
    license: str | None = None
    split: str | None = None


_KEYS: Final = tuple(one.name for one in msgspec.structs.fields(ExampleLine))
_decode: Final = msgspec.json.Decoder(ExampleLine).decode
_UNKNOWN_KEY: Final = re.compile(r"unknown field `(?P<key>[^`]*)`")
_BYTE: Final = re.compile(r"byte (\d+)")


def parse_jsonl_file(facts: SourceFacts, path: str, data: bytes) -> Reading:
    """The examples of a file; a line that is none is a rejection.

    path: relative to the root of the source. Raises `UserError` for a file that is empty or not
    UTF-8.
    """
    text, unreadable = decoded_text(path, data)
    if text is None:
        raise UserError([unreadable] if unreadable else [])
    sha256 = hash_content(data)
    rows: list[Record | Rejection] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        rows.append(_row(facts, Origin(path, sha256, str(number)), number, line))
    return Reading(
        tuple(row for row in rows if isinstance(row, Record)),
        tuple(row for row in rows if isinstance(row, Rejection)),
    )


def parse_tools(path: str, data: bytes) -> tuple[Skill, ...]:
    """The skills of a list of OpenAI-style tool definitions. Raises `UserError` where it is none."""
    try:
        return tuple(
            parse_tool_definition(one) for one in msgspec.json.decode(data, type=list[dict[str, Any]])
        )
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        found = f"no key {error}" if isinstance(error, KeyError) else str(error)
        problem = Diagnostic(
            path=path,
            code="bad_tools",
            found=found,
            expected='[{"type": "function", "function": {"name", "description", "parameters"}}]',
            fix="correct the file, or remove it to infer the catalog from the examples",
        )
        raise UserError([problem]) from None


def infer_skills(records: Iterable[Record]) -> tuple[Skill, ...]:
    """A catalog of what the examples call, where the source brings none: all parameters optional.

    A parameter whose values all are integers, numbers or True and False has that type, else string.
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
            parameters=tuple(Parameter(slot, type=_type_of(said)) for slot, said in slots.items()),
            service=services[name],
        )
        for name, slots in sorted(values.items())
    )


def _type_of(values: list[str]) -> str:
    if all(value in ("True", "False") for value in values):
        return "boolean"
    if all(re.fullmatch(r"-?\d+", value) for value in values):
        return "integer"
    return "number" if all(re.fullmatch(r"-?\d+(\.\d+)?", value) for value in values) else "string"


def _row(facts: SourceFacts, origin: Origin, number: int, line: str) -> Record | Rejection:
    try:
        example = _decode(line.encode())
    except msgspec.DecodeError as error:
        return rejected(
            facts, origin, Reason.MALFORMED_RECORD, [_malformed(origin.path, number, line, error)]
        )
    try:
        labels = _labels(example)
    except TemplateError as error:
        problem = Diagnostic(
            path=origin.path,
            line=number,
            code="exemplar_mismatch",
            found=str(error),
            expected="the utterance, with each value replaced by <slot>",
            fix="correct the exemplar, or give spans",
        )
        return rejected(
            facts,
            origin,
            Reason.EXEMPLAR_MISMATCH,
            [problem],
            skill=example.skill,
            utterance=example.utterance,
        )
    key = hashlib.sha256(example.utterance.casefold().encode()).hexdigest()[:16]
    return Record(
        id=make_row_id(facts.name, origin),
        source=facts.name,
        utterance=example.utterance,
        mode=example.mode or (Mode.NONE if example.skill is None else Mode.NORMAL),
        skill=example.skill,
        service=example.service,
        arguments=labels,
        context=tuple(example.context),
        group=f"{facts.name}:{example.group or key}",
        license=example.license or facts.license,
        origin=origin,
        exemplar=example.exemplar,
        split=example.split,
        today=facts.today,
    )


def _labels(example: ExampleLine) -> tuple[LabelledArgument, ...]:
    """The arguments, with the spans that the line gives, or that its template gives."""
    if isinstance(example.arguments, dict):
        lines = [ArgumentLine(slot, value) for slot, value in example.arguments.items()]
    else:
        lines = example.arguments
    spans = dict(example.spans)
    if example.exemplar is not None and not spans and all(line.start is None for line in lines):
        found = fill_spans(example.exemplar, example.utterance, [line.slot for line in lines])
        spans = {one.slot: (one.start, one.end) for one in found}
        lines = [_with_surface(line, spans.get(line.slot), example.utterance) for line in lines]
    return tuple(
        LabelledArgument(
            line.slot,
            format_literal(line.value),
            () if line.surface is None else (line.surface,),
            *(spans.get(line.slot) or (line.start, line.end)),
        )
        for line in lines
    )


def _with_surface(line: ArgumentLine, span: tuple[int, int] | None, utterance: str) -> ArgumentLine:
    """What a template says is the value's text is so, however the value is written."""
    if span is None:
        return line
    return ArgumentLine(line.slot, line.value, utterance[span[0] : span[1]])


def _malformed(path: str, number: int, line: str, error: msgspec.DecodeError) -> Diagnostic:
    message = str(error)
    unknown = _UNKNOWN_KEY.search(message)
    place = _BYTE.search(message)
    close = difflib.get_close_matches(unknown["key"], _KEYS, n=1) if unknown else []
    is_json = isinstance(error, msgspec.ValidationError)
    column = (
        None
        if is_json
        else len(line.encode()[: int(place[1])].decode("utf-8", "ignore")) + 1
        if place
        else len(line) + 1
    )
    return Diagnostic(
        path=path,
        line=number,
        column=column,
        code="malformed_record",
        found=f"{message} in {quote_text(line)}",
        expected=f"a JSON object with {', '.join(_KEYS)}",
        fix=f"did you mean {close[0]!r}?" if close else "correct the line",
    )
