"""How many values are located, and how many of these rightly, if the spans that a source gives are hidden."""

from __future__ import annotations

from typing import NamedTuple


class Score(NamedTuple):
    """Counts of values whose spans are hidden."""

    values: int
    located: int
    """Values with exactly one span."""
    right: int
    """Values whose only span is the given one."""

    @property
    def located_share(self) -> float:
        """The share of all values that are located."""
        return self.located / self.values

    @property
    def right_share(self) -> float:
        """The share of the located values that are right."""
        return self.right / self.located
