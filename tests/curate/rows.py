"""Exemplars for tests, from what matters in them."""

from __future__ import annotations

from exemplars.core.digests import hash_row
from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Origin, Speaker, Turn
from exemplars.dataset.templates import write_template


def located(slot: str, surface: str, text: str, value: str | None = None) -> Argument:
    """An argument whose value stands in the text, at its first place."""
    start = text.index(surface)
    return Argument(slot, value or surface, surface, start, start + len(surface), Grounding.VERBATIM)


def row(
    name: str,
    utterance: str,
    skill: str | None = "call",
    arguments: tuple[Argument, ...] = (),
    before: tuple[str, ...] = (),
    group: str = "",
    split: str | None = None,
    mode: Mode | None = None,
) -> Exemplar:
    """An exemplar with the id `s:<name>`."""
    context = tuple(Turn(Speaker.SYSTEM, turn) for turn in before)
    mode = mode or (Mode.NONE if skill is None else Mode.NORMAL)
    return Exemplar(
        id=f"s:{name}",
        digest=hash_row(utterance, context, skill, mode, arguments),
        source="s",
        service=None,
        skill=skill,
        mode=mode,
        utterance=utterance,
        exemplar=write_template(utterance, arguments),
        arguments=arguments,
        context=context,
        group=group or f"s:{name}",
        license="MIT",
        origin=Origin("a.md", "0" * 64, name),
        split=split,
    )
