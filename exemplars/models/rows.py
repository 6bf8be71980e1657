"""Chat rows and predictions: what `render`, `train` and `evaluate` hand on."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from exemplars.core.records import Mode, Origin
from exemplars.core.schemas import derive_schema


class View(StrEnum):
    """What a chat row asks for."""

    CALL = "call"
    """One call, or none."""
    SKILL = "skill"
    """Which skill."""
    SLOT = "slot"
    """The value of one parameter."""


class Message(msgspec.Struct, frozen=True):
    """One message of a chat."""

    role: str
    """`system`, `user` or `assistant`."""
    content: str


class Answer(msgspec.Struct, frozen=True):
    """One argument of the right call."""

    slot: str
    value: str
    accepted: tuple[str, ...]
    """Every value that counts as right, as text."""
    grounding: str


class TrainingRow(msgspec.Struct, frozen=True):
    """A chat row: what the loss is computed on, and what a prediction is compared with."""

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
    """They end with the answer."""
    tools: str
    """The tools that the prompt shows: a JSON list of OpenAI-style definitions."""
    call: str | None
    """The skill of the right answer; `None`: nothing is called."""
    answers: tuple[Answer, ...]
    input_ids: tuple[int, ...]
    prompt_tokens: int
    """How many of the `input_ids`, from the first, are masked."""


class Prediction(msgspec.Struct, frozen=True):
    """What a system answers to a test row, and what is wrong with it."""

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
    """The ids of the nearest train rows."""
    origin: Origin


TRAINING_SCHEMA: Final = derive_schema(TrainingRow)
PREDICTION_SCHEMA: Final = derive_schema(Prediction)
