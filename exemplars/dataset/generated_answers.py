"""Generated answers: the lines of `data/raw/generated/*.jsonl`, each the raw answer of a model to one request."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec

from exemplars.core.documents import decode_with
from exemplars.core.records import REDACTED

VERSION: Final = 1
"""The version of the form of a line."""
Length = Literal["short", "medium", "long"]
Form = Literal["written", "spoken"]
_EXAMPLES: Final = re.compile(r'"examples"\s*:\s*\[')
_COMMA: Final = re.compile(r"\s*,\s*")
_END: Final = re.compile(r"\s*\]\s*\}")


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """A cell of the coverage that examples are asked for."""

    skill: str
    slots: tuple[str, ...] = ()
    """The parameters that a call fills, in the order of the skill."""
    slot: str = ""
    """The enumerated parameter whose value is prescribed; empty: none."""
    value: str = ""
    length: Length = "medium"
    form: Form = "written"

    @property
    def name(self) -> str:
        """The cell as people read it.

        >>> Cell("light", ("room", "state"), "state", "off", "short", "spoken").name
        'light(room, state=off), short, spoken'
        """
        slots = (f"{slot}={self.value}" if slot == self.slot else slot for slot in self.slots)
        return f"{self.skill}({', '.join(slots)}), {self.length}, {self.form}"


class Usage(msgspec.Struct, frozen=True):
    """The tokens of a request, as the server counted them."""

    prompt_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
    completion_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0

    @property
    def total(self) -> int:
        """All tokens of the request."""
        return self.prompt_tokens + self.completion_tokens


class GeneratedAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line: a request, and what the model answered."""

    version: Literal[1] = VERSION
    request_id: str
    """SHA-256 of the body of the request."""
    time: str
    """When the answer came, in UTC (ISO 8601)."""
    host: str
    """The server that was asked; `written by hand` if no model was."""
    model: str
    """The model that was asked for."""
    answered_by: str | None = None
    """The model that answered, as the server names it."""
    system_fingerprint: str | None = None
    prompt_hash: str = ""
    """SHA-256 of the messages as they were sent."""
    prompt: list[dict[str, str]] = []
    """The messages, with the id of a row in the place of each row of the dataset that they showed."""
    settings: dict[str, Any] = {}
    """The other keys of the request, apart from its messages and its schema."""
    cell: Cell
    examples: Annotated[int, msgspec.Meta(ge=1)] = 1
    """The number of examples that were asked for."""
    tool: dict[str, Any]
    """The definition of the skill that was asked for, as the catalog had it."""
    finish_reason: str | None = None
    refusal: str | None = None
    usage: Usage | None = None
    answer: str | None = None
    """The text of the answer, unchanged."""


class GeneratedExample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An example in an answer."""

    utterance: str
    template: str | None = None
    """The utterance with each value that it says replaced by `<path>`."""
    skill: str | None = None
    arguments: dict[str, Any] = {}


class ExampleSpan(NamedTuple):
    """Where the JSON of an example is in an answer; code points, end exclusive."""

    start: int
    end: int


_decode: Final = msgspec.json.Decoder(GeneratedAnswer).decode


def parse_answer(line: str | bytes) -> GeneratedAnswer:
    """Parse a line. Raises `msgspec.DecodeError` if it does not have the form, or if a key is there twice."""
    return decode_with(_decode, line)


def encode_answer(answer: GeneratedAnswer) -> bytes:
    """Encode an answer as a line, with its end."""
    return msgspec.json.encode(answer) + b"\n"


def find_examples(text: str) -> tuple[list[ExampleSpan], bool]:
    """Find the complete examples of an answer, and whether there is nothing else where examples should be.

    An answer that was cut off still has those before the cut.

    >>> find_examples('{"examples": [{"a": 1}, {"a": ')
    ([ExampleSpan(start=14, end=22)], False)
    """
    begin = _EXAMPLES.search(text)
    if begin is None:
        return [], False
    spans: list[ExampleSpan] = []
    position, decoder = begin.end(), json.JSONDecoder()
    while True:
        position += len(text[position:]) - len(text[position:].lstrip())
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return spans, not spans and _END.match(text, position) is not None
        if not isinstance(value, dict):
            return spans, False
        spans.append(ExampleSpan(position, end))
        comma = _COMMA.match(text, end)
        if comma is None:
            return spans, _END.match(text, end) is not None
        position = comma.end()


def redact_answer(answer: GeneratedAnswer, numbers: set[int]) -> GeneratedAnswer:
    """Replace examples of an answer by `[erased]`; all other examples keep their positions.

    numbers: of the examples, from 0. One that is not complete: what follows the last complete one; -1: everything.
    """
    text = answer.answer or ""
    if -1 in numbers:
        return msgspec.structs.replace(answer, answer=REDACTED, refusal=answer.refusal and REDACTED)
    spans, is_complete = find_examples(text)
    redacted = json.dumps({"utterance": REDACTED})
    parts, position = [], 0
    for number, span in enumerate(spans):
        parts += [text[position : span.start], redacted if number in numbers else text[span.start : span.end]]
        position = span.end
    rest = text[position:]
    if numbers - set(range(len(spans))) and not is_complete:
        rest = f", {REDACTED}" if spans else REDACTED
    refusal = answer.refusal and REDACTED if numbers else answer.refusal
    return msgspec.structs.replace(answer, answer="".join([*parts, rest]), refusal=refusal)
