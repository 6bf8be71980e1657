"""Generated answers: what `exemplars generate` stored. The format is described in docs/formats/generated.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from exemplars.core.digests import hash_content
from exemplars.core.documents import decode_json
from exemplars.core.errors import UserError, quote_text
from exemplars.core.ledger import Problem, format_place, reject_row
from exemplars.core.records import REDACTED, Mode, Origin, Reason, Record, Rejection
from exemplars.dataset.generated_answers import (
    GeneratedAnswer,
    GeneratedExample,
    find_examples,
    parse_answer,
)
from stages.ingest.file_listing import FileKind
from stages.ingest.jsonl import fit_values, read_call, reject_incomplete
from stages.ingest.jsonl_lines import ExampleLine
from stages.ingest.reading import (
    STAGE,
    Reading,
    SourceInfo,
    collect_rows,
    decode_text,
    find_oversize,
    lower_first,
    make_unread,
)
from stages.ingest.source_files import merge_readings
from stages.ingest.tools import parse_tools

GENERATED_FILES: Final = FileKind(
    ("*.jsonl",), "generated answers (*.jsonl)", rb'(?s)\A(?:\xef\xbb\xbf)?\s*\{.*?"request_id"\s*:'
)
_FIX: Final = "ask again, with a larger --max-output-tokens"


def read_generated_file(source: SourceInfo, path: str, data: bytes) -> Reading:
    """Read the examples of a file of answers; all of them are for the split `train`.

    path: relative to the root of the source. What is no example is rejected: a refusal, a broken or cut-off answer, a
    call of another skill than the one asked for, a template that does not fit its utterance.
    Raises `UserError` if the file is empty or not UTF-8.
    """
    sha256 = hash_content(data)
    readings = [
        _read_line(source, Origin(path, sha256, str(number)), line)
        for number, line in enumerate(decode_text(path, data).split("\n"), 1)
        if line.strip()
    ]
    return merge_readings(readings)


def _read_line(source: SourceInfo, origin: Origin, line: str) -> Reading:
    oversize = find_oversize(line)
    if oversize is not None:
        return _reject(source, origin, oversize)
    if line.strip() == REDACTED:
        return collect_rows([read_call(source, origin, ExampleLine(utterance=REDACTED), None)])
    try:
        answer = parse_answer(line)
        skills = parse_tools(format_place(origin), msgspec.json.encode([answer.tool]))
    except msgspec.DecodeError as error:
        summary = f"not a generated answer of this version: {lower_first(str(error))}"
        fix = "write the line as `exemplars generate` does, or remove it"
        return _reject(source, origin, Problem(Reason.MALFORMED_RECORD, fix=fix, summary=summary))
    except UserError as error:
        return _reject(source, origin, _make_tool_problem(error))
    rows = collect_rows(_read_examples(source, origin, answer))
    return reject_incomplete(fit_values(rows, skills), skills, "the skill's definition")


def _reject(source: SourceInfo, origin: Origin, problem: Problem) -> Reading:
    return Reading(rejections=(reject_row(make_unread(source, origin), STAGE, [problem]),))


def _make_tool_problem(error: UserError) -> Problem:
    first = error.diagnostics[0]
    return Problem(Reason.MALFORMED_RECORD, fix=first.fix, summary=f"`tool` is no definition: {first.found}")


def _read_examples(
    source: SourceInfo, origin: Origin, answer: GeneratedAnswer
) -> Iterator[Record | Rejection]:
    """Read the examples of an answer, and what is left of it if it is not complete."""
    text = answer.answer or ""
    spans, is_complete = find_examples(text)
    for number, span in enumerate(spans):
        place = msgspec.structs.replace(origin, locator=f"{origin.locator}/answer/examples/{number}")
        yield _read_example(source, place, answer, text[span.start : span.end])
    if is_complete and spans:
        return
    place = msgspec.structs.replace(origin, locator=f"{origin.locator}/answer/examples/{len(spans)}")
    if REDACTED in (text[spans[-1].end :].removeprefix(", ") if spans else text, answer.refusal):
        yield read_call(source, place, ExampleLine(utterance=REDACTED), None)
        return
    unread = make_unread(source, place, skill=answer.cell.skill)
    yield reject_row(unread, STAGE, [_describe_broken(answer, len(spans))])


def _describe_broken(answer: GeneratedAnswer, complete: int) -> Problem:
    if answer.refusal is not None:
        return Problem(
            Reason.NO_ANSWER, f"the refusal {quote_text(answer.refusal)}", "examples", "ask another model"
        )
    if answer.finish_reason in ("length", "content_filter"):
        found = f"an answer that was cut off ({answer.finish_reason}) after {complete} complete examples"
        return Problem(Reason.NO_ANSWER, found, f"{answer.examples} examples", _FIX)
    found = f"the answer {quote_text(answer.answer or '')} with {complete} complete examples"
    expected = '{"examples": [...]} with at least one, and nothing else'
    return Problem(Reason.MALFORMED_RECORD, found, expected, "ask again, or ask another model")


def _read_example(
    source: SourceInfo, origin: Origin, answer: GeneratedAnswer, text: str
) -> Record | Rejection:
    unread = make_unread(source, origin, skill=answer.cell.skill)
    try:
        example = decode_json(text, GeneratedExample)
    except msgspec.DecodeError as error:
        summary = f"{lower_first(str(error))} in {quote_text(text)}"
        fix = 'expected {"utterance", "template", "skill", "arguments"}'
        return reject_row(unread, STAGE, [Problem(Reason.MALFORMED_RECORD, fix=fix, summary=summary)])
    if example.utterance == REDACTED:
        return read_call(source, origin, ExampleLine(utterance=REDACTED), None)
    unread = unread._replace(skill=example.skill, utterance=example.utterance)
    problem = _find_problem(example, answer.cell.skill)
    if problem is not None:
        return reject_row(unread, STAGE, [problem])
    line = ExampleLine(
        utterance=example.utterance,
        skill=example.skill,
        arguments=_drop_nulls(example.arguments, answer.tool["function"].get("parameters") or {}),
        exemplar=example.template,
        mode=Mode.NORMAL,
        split="train",
    )
    return read_call(source, origin, line, None)


def _find_problem(example: GeneratedExample, skill: str) -> Problem | None:
    fix = "remove the example, or ask again"
    if example.skill != skill:
        found = f"skill {quote_text(example.skill)}" if example.skill is not None else "no skill"
        return Problem(Reason.UNKNOWN_SKILL, found, f"{skill!r}, which was asked for", fix)
    if example.template is None:
        return Problem(Reason.EXEMPLAR_MISMATCH, "no template", "one that marks each value that is said", fix)
    return None


def _drop_nulls(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the optional arguments that are `null`, which is how strict structured output leaves them out."""
    required = schema.get("required") or ()
    properties = schema.get("properties") or {}
    kept = {}
    for name, value in arguments.items():
        if value is not None or name in required:
            kept[name] = _drop_inner(value, properties.get(name) or {})
    return kept


def _drop_inner(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return _drop_nulls(value, schema)
    if isinstance(value, list):
        return [_drop_inner(item, schema.get("items") or {}) for item in value]
    return value
