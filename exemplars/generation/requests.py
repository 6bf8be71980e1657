"""Requests for examples: their prompts, their bodies and their ids, which are hashes of the bodies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from exemplars.core.digests import hash_content, hash_to_fraction
from exemplars.core.records import Exemplar
from exemplars.core.slot_paths import find_root
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.generated_answers import Cell
from exemplars.export.turns import strip_tool
from exemplars.generation.answer_schema import build_answer_format
from exemplars.generation.cells import MEDIUM_WORDS, SHORT_WORDS

INSTRUCTIONS: Final = """\
You write examples of what people say to an assistant that can call a function, each with the call it asks for.
- utterance: what a person says, natural and in one or two sentences. Vary the words, the order and the values.
- template: the utterance, letter for letter, in which each value that is said is replaced by <name of its argument>. \
A leaf of a nested argument is named by its path: <dishes[0].count>.
- arguments: the values. A value is said in the utterance in the same words; a number, a date or a time may be said in \
another form. Only a value of a closed list, true or false may be meant without being said, and then has no place in \
the template. An argument that the utterance does not give is null.
Fill exactly the arguments that are asked for. Do not use real people's names, addresses or phone numbers."""
_LENGTHS: Final = {
    "short": f"at most {SHORT_WORDS} words",
    "medium": f"{SHORT_WORDS + 1} to {MEDIUM_WORDS} words",
    "long": f"at least {MEDIUM_WORDS + 1} words",
}
_FORMS: Final = {
    "written": "as people write, with capital letters and punctuation",
    "spoken": "as a speech recognizer writes: lower case, no punctuation, numbers as words",
}
LimitKey = Literal["max_completion_tokens", "max_tokens"]
BYTES_A_TOKEN: Final = 3
"""For estimates: fewer than English text has, so that the estimate is rather too high."""


class AskSettings(NamedTuple):
    """What all requests of a run have in common."""

    model: str
    examples: int = 5
    """Maximum number of examples of a request."""
    shown: int = 3
    """Number of train rows of the skill that a prompt shows."""
    max_output_tokens: int = 2000
    temperature: float | None = None
    """`None`: the server's default."""
    limit_key: LimitKey = "max_completion_tokens"
    """What the server calls `max_output_tokens`."""


class ExampleRequest(NamedTuple):
    """A request for examples of a cell."""

    id: str
    cell: Cell
    examples: int
    body: dict[str, Any]
    """Of `POST /v1/chat/completions`."""
    prompt: list[dict[str, str]]
    """The messages as they are stored: rows of the dataset by their ids, not by their text."""
    tool: dict[str, Any]

    @property
    def prompt_hash(self) -> str:
        """SHA-256 of the messages as they are sent."""
        return hash_content(msgspec.json.encode(self.body["messages"], order="sorted"))

    @property
    def settings(self) -> dict[str, Any]:
        """The keys of the body, apart from its messages and its schema."""
        return {key: value for key, value in self.body.items() if key not in ("messages", "response_format")}

    @property
    def max_output_tokens(self) -> int:
        """The maximum number of tokens of the answer."""
        limits = (self.body.get(key) for key in ("max_completion_tokens", "max_tokens"))
        return int(next(limit for limit in limits if limit is not None))

    @property
    def prompt_tokens(self) -> int:
        """An estimate of the tokens of the prompt, rather too high."""
        return math.ceil(len(msgspec.json.encode(self.body)) / BYTES_A_TOKEN)


def build_request(
    cell: Cell, skill: Skill, rows: Sequence[Exemplar], settings: AskSettings, examples: int, number: int
) -> ExampleRequest:
    """Build a request.

    rows: the train rows of the skill, of which some are shown. number: of the requests for this cell that were sent
    before, so that no two requests are the same.
    """
    shown = choose_shown_rows(rows, cell, settings.shown, number)
    tool = build_tool_definition(skill)
    body = {
        "model": settings.model,
        "messages": _build_messages(cell, tool, examples, number, [_write_example(row) for row in shown]),
        "response_format": build_answer_format(skill, cell),
        settings.limit_key: settings.max_output_tokens,
    }
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    stored = _build_messages(cell, tool, examples, number, [f"<row {row.id}>" for row in shown])
    request_id = hash_content(msgspec.json.encode(body, order="sorted"))
    return ExampleRequest(request_id, cell, examples, body, stored, tool)


def choose_shown_rows(rows: Sequence[Exemplar], cell: Cell, count: int, number: int) -> list[Exemplar]:
    """Choose the rows that a prompt shows, others for each request.

    Those come first that need no earlier turn, and of these, those that fill the same arguments.
    """
    slots = set(cell.slots)

    def rank(row: Exemplar) -> tuple[bool, int, float]:
        filled = {find_root(argument.slot) for argument in row.arguments}
        return bool(row.context), len(filled ^ slots), hash_to_fraction(row.digest, f"{cell.name} {number}")

    return sorted(rows, key=rank)[:count]


def _build_messages(
    cell: Cell, tool: dict[str, Any], examples: int, number: int, shown: Sequence[str]
) -> list[dict[str, str]]:
    arguments = ", ".join(cell.slots) or "no argument at all"
    function = strip_tool(tool)["function"]
    lines = [
        f"Function:\n{msgspec.json.encode(function).decode()}",
        f"Write {examples} example{'s' if examples > 1 else ''} that fill: {arguments}.",
        *([f"The value of {cell.slot} is {cell.value}."] if cell.slot else []),
        f"Length of the utterance: {_LENGTHS[cell.length]}.",
        f"Form: {_FORMS[cell.form]}.",
        *(["There are these already; write different ones:", *shown] if shown else []),
        f"This is set {number + 1} of such examples.",
    ]
    return [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": "\n".join(lines)}]


def _write_example(row: Exemplar) -> str:
    return msgspec.json.encode({"utterance": row.utterance, "template": row.exemplar}).decode()
