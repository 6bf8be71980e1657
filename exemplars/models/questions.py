"""What a trained model is asked: an utterance in its context."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import NamedTuple

from exemplars.core.records import Speaker, Turn


class Question(NamedTuple):
    """An utterance in its context, oldest turn first."""

    utterance: str
    context: Sequence[Turn] = ()
    speaker: Speaker = Speaker.USER
    today: datetime.date | None = None
    """What relative dates refer to."""
