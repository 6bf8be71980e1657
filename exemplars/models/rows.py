"""Chat rows and predictions: the rows that `render`, `train` and `evaluate` exchange."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from exemplars.core.records import Mode, Origin, Speaker
from exemplars.core.schemas import derive_schema


class View(StrEnum):
    """What a chat row asks the model for."""

    CALL = "call"
    """All calls of the turn; without one, the reply, or "no call" if the row has no reply."""
    SKILL = "skill"
    """The skills that are called."""
    SLOT = "slot"
    """The value of one parameter."""
    PAIR = "pair"
    """Whether a template means the same as the utterance."""
    YES_NO = "yes_no"
    """How the utterance answers a question: Affirmative, Negative, Indifferent or Irrelevant."""


class Message(msgspec.Struct, frozen=True):
    """One message of a chat."""

    role: str
    """`system`, `user`, `assistant` or `tool`."""
    content: str


class Answer(msgspec.Struct, frozen=True):
    """A leaf of an argument of a right call."""

    slot: str
    """The path of the leaf: see `exemplars.core.slot_paths`."""
    value: str
    """As `exemplars.dataset.leaves` writes it."""
    accepted: tuple[str, ...]
    """All values that count as right, as text; `value` is the first."""
    grounding: str


class TargetCall(msgspec.Struct, frozen=True):
    """A call of the right answer."""

    skill: str
    answers: tuple[Answer, ...]


class TrainingRow(msgspec.Struct, frozen=True):
    """A chat row: one turn as a prompt, the tokens that the loss is computed on, and the right calls."""

    id: str
    """That of the row, if the turn is one row, otherwise that of the turn; then what `make_view_id` appends."""
    turn: str
    exemplar_ids: tuple[str, ...]
    """The rows of the turn, in the order of their calls."""
    digests: tuple[str, ...]
    """The digests of these rows."""
    source: str
    services: tuple[str, ...]
    """The services of these rows, each once."""
    skills: tuple[str, ...]
    """The skills that these rows are about, each once: called, declined, or withheld from the prompt."""
    mode: Mode
    """The mode of the first row that is about a skill."""
    group: str
    license: str
    origin: Origin
    """Where the first of these rows came from."""
    view: View
    slot: str | None
    speech: bool
    speaker: Speaker
    """Who says the utterance: the tool, if the turn follows the result of a call."""
    utterance: str
    reply: str | None
    """What the assistant says in addition to, or instead of, a call."""
    messages: tuple[Message, ...]
    """The chat; its last message is the answer."""
    tools: str
    """The tools in the prompt: a JSON list of OpenAI-style definitions."""
    calls: tuple[TargetCall, ...]
    """The calls of the right answer, in order; empty: no call."""
    input_ids: tuple[int, ...]
    prompt_tokens: int
    """The number of `input_ids`, from the first, that are masked in the loss."""
    nearest: tuple[str, ...] = ()
    """The ids of the train rows that the prompt shows in addition: as examples, by their templates or questions."""


class Prediction(msgspec.Struct, frozen=True):
    """The answer of a system to a test row, and its score."""

    id: str
    exemplar_ids: tuple[str, ...]
    condition: str
    """A `Condition`: what the system chooses among."""
    system: str
    kind: str
    utterance: str
    right: str
    predicted: str
    ended: bool
    source: str
    skill: str | None
    """The first of the row's `skills`."""
    nearest: tuple[str, ...]
    """The ids of the most similar train rows, under `oracle` of those that call only shown tools."""
    shown: tuple[str, ...]
    """The tools that the prompt of a language model shows; empty: `render` rejected the turn."""
    confidence: float | None
    """Of a tagger: the calibrated probability that the whole answer is right."""
    answered_by: str | None
    """The part of a cascade that answered; `None`: the system itself."""
    origin: Origin


def list_tool_names(row: TrainingRow) -> list[str]:
    """List the names of the tools that a row's prompt shows."""
    return [tool["function"]["name"] for tool in msgspec.json.decode(row.tools)]


TRAINING_SCHEMA: Final = derive_schema(TrainingRow)
PREDICTION_SCHEMA: Final = derive_schema(Prediction)
