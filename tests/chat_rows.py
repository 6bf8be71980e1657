"""Chat rows that tests of exports and evaluation share."""

from __future__ import annotations

from typing import Any

import msgspec

from exemplars.core.records import Mode, Origin, Speaker
from exemplars.models.rows import Message, TargetCall, TrainingRow, View

_ROW = TrainingRow(
    id="s:f.md#1",
    turn="s:f.md#1",
    exemplar_ids=("s:f.md#1",),
    digests=("0" * 64,),
    source="s",
    services=(),
    skills=("stop",),
    mode=Mode.NORMAL,
    group="g",
    license="MIT",
    origin=Origin("f.md", "0" * 64, "1"),
    view=View.CALL,
    slot=None,
    speech=False,
    speaker=Speaker.USER,
    utterance="stop it",
    reply=None,
    messages=(Message("system", "Call one."), Message("user", "stop it"), Message("assistant", "stop()")),
    tools="[]",
    calls=(TargetCall("stop", ()),),
    input_ids=(),
    prompt_tokens=0,
)


def make_training_row(**changes: Any) -> TrainingRow:
    """Make a chat row that calls `stop`, with some fields changed."""
    return msgspec.structs.replace(_ROW, **changes)
