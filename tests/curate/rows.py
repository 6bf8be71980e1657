"""Exemplars for tests, from what matters in them, and the lexicons of this project."""

from __future__ import annotations

import msgspec

from exemplars.core.digests import stamp_digest
from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Origin, Speaker, Turn
from exemplars.dataset.templates import write_template
from stages.curate.lexicons import read_lexicons
from tests.conftest import PROJECT

LEXICONS = read_lexicons(str(PROJECT / "schemas/lexicons"))


def make_argument(slot: str, surface: str, text: str, value: str | None = None) -> Argument:
    """Make an argument whose span is the first occurrence of `surface` in the text."""
    start = text.index(surface)
    return Argument(slot, value or surface, surface, start, start + len(surface), Grounding.VERBATIM)


def make_row(
    name: str,
    utterance: str,
    skill: str | None = "call",
    arguments: tuple[Argument, ...] = (),
    before: tuple[str, ...] = (),
    group: str = "",
    split: str | None = None,
    mode: Mode | None = None,
    reply: str | None = None,
    context: tuple[Turn, ...] = (),
    speaker: Speaker = Speaker.USER,
) -> Exemplar:
    """Make an exemplar with the id `s:<name>`. before: what the assistant said, instead of a context."""
    context = context or tuple(Turn(Speaker.ASSISTANT, turn) for turn in before)
    mode = mode or (Mode.NONE if skill is None else Mode.NORMAL)
    row = Exemplar(
        id=f"s:{name}",
        digest="",
        source="s",
        turn=f"s:{name}",
        call=0,
        service=None,
        skill=skill,
        mode=mode,
        speaker=speaker,
        utterance=utterance,
        exemplar=write_template(utterance, arguments),
        arguments=arguments,
        reply=reply,
        context=context,
        group=group or f"s:{name}",
        license="MIT",
        origin=Origin("a.md", "0" * 64, name),
        split=split,
    )
    return stamp_digest(row)


def make_turn(name: str, utterance: str, *calls: tuple[str, tuple[Argument, ...]]) -> list[Exemplar]:
    """Make the exemplars of the calls of a turn, each a skill with its arguments, with the ids `s:<name>/<call>`."""
    rows = [
        make_row(f"{name}/{number}", utterance, skill, arguments, group=f"s:{name}")
        for number, (skill, arguments) in enumerate(calls)
    ]
    return [msgspec.structs.replace(row, turn=f"s:{name}", call=number) for number, row in enumerate(rows)]
