"""Edits of a text that leave all else as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from exemplars.core.slot_paths import find_root, format_path


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

    def rename_path(self, path: str) -> str:
        """Rename the parameter that a path begins with, if it is the one that is renamed.

        >>> Rename("order", "dishes", "meals").rename_path("dishes[0].name")
        'meals[0].name'
        """
        if self.parameter is None or find_root(path) != self.parameter:
            return path
        old = format_path((self.parameter,))
        return format_path((self.new,)) + path.removeprefix(old if path.startswith(old) else self.parameter)

    def rename_template(self, template: str) -> str:
        """Rename the slots of a template whose paths begin with the parameter.

        >>> Rename("order", "dishes", "meals").rename_template("a <dishes[0].name>, <dishes>")
        'a <meals[0].name>, <meals>'
        """
        if self.parameter is None:
            return template
        slot = re.compile(rf"<{re.escape(format_path((self.parameter,)))}(?=[.\[>])")
        return slot.sub(lambda _: f"<{format_path((self.new,))}", template)


class RenamedLines(NamedTuple):
    """A file of JSON lines under a renaming."""

    data: bytes
    places: int
    """The number of lines that it changes."""


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
