"""FullExemplar JSONL: one labeled example per line. The format is described in docs/formats/jsonl.md."""

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
from exemplars.core.ledger import Problem, format_place, reject_row
from exemplars.core.literals import Literal, format_literal
from exemplars.core.records import LabelledArgument, Mode, Origin, Reason, Record, Rejection, Turn
from exemplars.dataset.catalog import Parameter, Skill, parse_tool_definition
from exemplars.dataset.templates import TemplateError, fill_spans
from stages.ingest.reading import (
    STAGE,
    Reading,
    SourceInfo,
    collect_rows,
    decode_text,
    lower_first,
    make_unread,
)


class ArgumentLine(msgspec.Struct, forbid_unknown_fields=True):
    """An argument with, optionally, the text that says it and the span of that text."""

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


_KEYS: Final = tuple(field.name for field in msgspec.structs.fields(ExampleLine))
_decode: Final = msgspec.json.Decoder(ExampleLine).decode
_UNKNOWN_KEY: Final = re.compile(r"unknown field `(?P<key>[^`]*)`")
_BYTE: Final = re.compile(r"byte (\d+)")


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


def parse_tools(path: str, data: bytes) -> tuple[Skill, ...]:
    """Parse a list of OpenAI-style tool definitions. Raises `UserError` if the file is something else."""
    try:
        definitions = msgspec.json.decode(data, type=list[dict[str, Any]])
        return tuple(parse_tool_definition(definition) for definition in definitions)
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        found = f"no key {error}" if isinstance(error, KeyError) else lower_first(str(error))
        problem = Diagnostic(
            path=path,
            code="bad_tools",
            found=found,
            expected='[{"type": "function", "function": {"name", "description", "parameters"}}]',
            fix="correct the file, or remove it to infer the catalog from the examples",
            summary=f"not a list of tool definitions: {found}",
        )
        raise UserError([problem]) from None


def infer_skills(records: Iterable[Record]) -> tuple[Skill, ...]:
    """Infer a catalog from the calls of the examples, for a source without one; all parameters are optional.

    A parameter has the type `boolean`, `integer` or `number` if all of its values do, otherwise `string`.
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
            parameters=tuple(
                Parameter(slot, type=_infer_type(slot_values)) for slot, slot_values in slots.items()
            ),
            service=services[name],
        )
        for name, slots in sorted(values.items())
    )


def _infer_type(values: list[str]) -> str:
    if all(value in ("True", "False") for value in values):
        return "boolean"
    if all(re.fullmatch(r"-?\d+", value) for value in values):
        return "integer"
    return "number" if all(re.fullmatch(r"-?\d+(\.\d+)?", value) for value in values) else "string"


def _read_line(source: SourceInfo, origin: Origin, line: str) -> Record | Rejection:
    try:
        example = _decode(line.encode())
    except msgspec.DecodeError as error:
        return reject_row(make_unread(source, origin), STAGE, [_malformed(origin, line, error)])
    try:
        arguments = _label_arguments(example)
    except TemplateError as error:
        fix = "write the utterance with each value replaced by <slot>, or give spans"
        problem = Problem(Reason.EXEMPLAR_MISMATCH, found="", fix=fix, summary=str(error))
        unread = make_unread(source, origin, skill=example.skill, utterance=example.utterance)
        return reject_row(unread, STAGE, [problem])
    return _make_record(source, origin, example, arguments)


def _make_record(
    source: SourceInfo, origin: Origin, example: ExampleLine, arguments: tuple[LabelledArgument, ...]
) -> Record:
    key = hashlib.sha256(example.utterance.casefold().encode()).hexdigest()[:16]
    return Record(
        id=make_row_id(source.name, origin),
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
    if isinstance(example.arguments, dict):
        lines = [ArgumentLine(slot, value) for slot, value in example.arguments.items()]
    else:
        lines = example.arguments
    spans = dict(example.spans)
    if example.exemplar is not None and not spans and all(line.start is None for line in lines):
        slot_spans = fill_spans(example.exemplar, example.utterance, [line.slot for line in lines])
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


def _malformed(origin: Origin, line: str, error: msgspec.DecodeError) -> Problem:
    message = str(error)
    unknown = _UNKNOWN_KEY.search(message)
    close = difflib.get_close_matches(unknown["key"], _KEYS, n=1) if unknown else []
    place = format_place(origin)
    if not isinstance(error, msgspec.ValidationError):
        byte = _BYTE.search(message)
        before = line.encode()[: int(byte[1])].decode("utf-8", "ignore") if byte else line
        place = f"{place}:{len(before) + 1}"
    return Problem(
        Reason.MALFORMED_RECORD,
        found="",
        fix=f"did you mean {close[0]!r}?" if close else f"write a JSON object with {', '.join(_KEYS)}",
        summary=f"{lower_first(message)} in {quote_text(line)}",
        place=place,
    )
