"""Chat rows that tests of exports and evaluation share."""

from __future__ import annotations

from typing import Any

import msgspec

from exemplars.core.records import Mode, Origin
from exemplars.models.rows import Message, TrainingRow, View

_ROW = TrainingRow(
    id="s:f.md#1",
    exemplar_id="s:f.md#1",
    digest="0" * 64,
    source="s",
    service=None,
    skill="stop",
    mode=Mode.NORMAL,
    group="g",
    license="MIT",
    origin=Origin("f.md", "0" * 64, "1"),
    view=View.CALL,
    slot=None,
    speech=False,
    utterance="stop it",
    messages=(Message("system", "Call one."), Message("user", "stop it"), Message("assistant", "stop()")),
    tools="[]",
    call="stop",
    answers=(),
    input_ids=(),
    prompt_tokens=0,
)


def make_training_row(**changes: Any) -> TrainingRow:
    """Make a chat row that calls `stop`, with some fields changed."""
    return msgspec.structs.replace(_ROW, **changes)
