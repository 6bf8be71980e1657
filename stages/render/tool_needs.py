"""What a turn demands of the tools that its prompt shows."""

from __future__ import annotations

from typing import NamedTuple


class ToolNeed(NamedTuple):
    """What a turn demands of the tools that its prompt shows."""

    id: str
    tools: tuple[str, ...]
    """The tools that must be shown, if any."""
    excluded: frozenset[str]
    """The tools that must not be: a different right answer, or the right tools if the answer is to be none."""
    key: str
    """Seeds the random choices."""
