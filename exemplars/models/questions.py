"""What a trained model is asked: an utterance in its context."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from exemplars.core.records import Speaker, Turn


class Candidate(msgspec.Struct, frozen=True):
    """A value that the conversation says, and that a call may need."""

    name: str
    """What kind of value it is (`time`, or the name of a recognizer), or the path of the argument that it may fill."""
    text: str


class Question(NamedTuple):
    """An utterance in its context, oldest turn first."""

    utterance: str
    context: Sequence[Turn] = ()
    speaker: Speaker = Speaker.USER
    today: datetime.date | None = None
    """What relative dates refer to."""
    candidates: tuple[Candidate, ...] = ()
    """The values that the prompt of a language model shows."""
