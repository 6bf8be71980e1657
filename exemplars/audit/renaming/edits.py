"""Edits of a text that leave all else as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Rename(NamedTuple):
    """What is renamed: a skill, or one parameter of it."""

    skill: str
    parameter: str | None
    """`None`: the skill itself."""
    new: str

    @property
    def old(self) -> str:
        """The name that goes away."""
        return self.skill if self.parameter is None else self.parameter


class Edit(NamedTuple):
    """A part of a text that is replaced. Positions count code points; the end is exclusive."""

    start: int
    end: int
    new: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits, which do not overlap, to a text.

    >>> apply_edits("call(who)", [Edit(5, 8, "contact"), Edit(0, 4, "ring")])
    'ring(contact)'
    """
    parts: list[str] = []
    position = 0
    for edit in sorted(edits):
        parts += (text[position : edit.start], edit.new)
        position = edit.end
    return "".join([*parts, text[position:]])
