"""Rows, skills and a tiny tokenizer that tests of the tagger share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import msgspec

from exemplars.core.digests import stamp_digest
from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Origin, Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter

SKILLS = (
    Skill("call", parameters=(Parameter("contact"), Parameter("device", enum=("home", "work")))),
    Skill("set_timer", parameters=(Parameter("minutes", type="integer"), Parameter("label"))),
    Skill("weather", parameters=(Parameter("location"), Parameter("day"))),
)


def said(slot: str, value: str, surface: str | None = None, grounding: str = "verbatim") -> Argument:
    """Make an argument whose span `make_row` finds. surface: by default the value."""
    return Argument(slot, value, surface or value, 0, 0, Grounding(grounding))


def meant(slot: str, value: str, grounding: str) -> Argument:
    """Make an argument without a span."""
    return Argument(slot, value, None, None, None, Grounding(grounding))


def make_row(
    utterance: str, skill: str | None, *arguments: Argument, before: Sequence[str] = (), name: str = ""
) -> Exemplar:
    """Make a row. before: the preceding turns; user and assistant alternate, and the assistant comes last."""
    speakers = (Speaker.ASSISTANT, Speaker.USER)
    turns = tuple(Turn(speakers[(len(before) - 1 - place) % 2], text) for place, text in enumerate(before))
    row = Exemplar(
        id=f"s:a#{name or utterance}",
        digest="",
        source="s",
        turn=f"s:a#{name or utterance}",
        call=0,
        service=None,
        skill=skill,
        mode=Mode.NONE if skill is None else Mode.NORMAL,
        speaker=Speaker.USER,
        utterance=utterance,
        exemplar=utterance,
        arguments=tuple(_place(argument, utterance) for argument in arguments),
        reply=None,
        context=turns,
        group=utterance,
        license="MIT",
        origin=Origin("a", "0" * 64, "1"),
    )
    return stamp_digest(row)


def _place(argument: Argument, utterance: str) -> Argument:
    if argument.surface is None:
        return argument
    start = utterance.index(argument.surface)
    return msgspec.structs.replace(argument, start=start, end=start + len(argument.surface))


ROWS = [
    make_row("ring mum", "call", said("contact", "mum")),
    make_row("ring dad at work", "call", said("contact", "dad"), said("device", "work")),
    make_row(
        "ring ann on the landline", "call", said("contact", "ann"), meant("device", "home", "categorical")
    ),
    make_row("set a timer for ten minutes", "set_timer", said("minutes", "10", "ten", "normalized")),
    make_row("timer for 5 minutes, tea", "set_timer", said("minutes", "5"), said("label", "tea")),
    make_row("weather in Oslo", "weather", said("location", "Oslo")),
    make_row(
        "yes, that one",
        "weather",
        meant("location", "Rome", "context"),
        before=("weather please", "In Rome?"),
    ),
    make_row("no thanks", None),
]


@cache
def make_tokenizer() -> Any:
    """Make the tokenizer of the tiny encoder."""
    from transformers import AutoTokenizer

    from tests.tiny import save_tiny_encoder

    return AutoTokenizer.from_pretrained(str(save_tiny_encoder(Path(mkdtemp()))))
