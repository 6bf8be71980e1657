"""Chat rows and predictions: the rows that `render`, `train` and `evaluate` exchange."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from exemplars.core.records import Mode, Origin
from exemplars.core.schemas import derive_schema


class View(StrEnum):
    """What a chat row asks the model for."""

    CALL = "call"
    """The whole call, or "no call"."""
    SKILL = "skill"
    """The skill."""
    SLOT = "slot"
    """The value of one parameter."""


class Message(msgspec.Struct, frozen=True):
    """One message of a chat."""

    role: str
    """`system`, `user` or `assistant`."""
    content: str


class Answer(msgspec.Struct, frozen=True):
    """An argument of the right call."""

    slot: str
    value: str
    accepted: tuple[str, ...]
    """All values that count as right, as text."""
    grounding: str


class TrainingRow(msgspec.Struct, frozen=True):
    """A chat row: the tokens that the loss is computed on, and the answer that predictions are scored against."""

    id: str
    exemplar_id: str
    digest: str
    source: str
    service: str | None
    skill: str | None
    mode: Mode
    group: str
    license: str
    origin: Origin
    view: View
    slot: str | None
    speech: bool
    utterance: str
    messages: tuple[Message, ...]
    """The chat; its last message is the answer."""
    tools: str
    """The tools in the prompt: a JSON list of OpenAI-style definitions."""
    call: str | None
    """The skill of the right answer; `None` for "no call"."""
    answers: tuple[Answer, ...]
    input_ids: tuple[int, ...]
    prompt_tokens: int
    """The number of `input_ids`, from the first, that are masked in the loss."""


class Prediction(msgspec.Struct, frozen=True):
    """The answer of a system to a test row, and its score."""

    id: str
    system: str
    kind: str
    utterance: str
    right: str
    predicted: str
    ended: bool
    source: str
    skill: str | None
    nearest: tuple[str, ...]
    """The ids of the most similar train rows."""
    origin: Origin


TRAINING_SCHEMA: Final = derive_schema(TrainingRow)
PREDICTION_SCHEMA: Final = derive_schema(Prediction)
