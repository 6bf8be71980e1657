"""The time that a training has left, known after its third step."""

from __future__ import annotations

import time
from typing import Final

_WARM: Final = 1
"""Steps that are not counted: the first allocates memory."""
_MEASURED: Final = 3
_SHORT: Final = 90
"""Seconds, or minutes, up to which a time is given in them."""


class StepClock:
    """Measures steps, and says once how long the others take."""

    def __init__(self) -> None:
        """Begin before the first step."""
        self._steps = 0
        self._start = 0.0

    def note_step(self, left: int) -> str | None:
        """Note that a step is done; after the third, say how long the others take. left: their number."""
        self._steps += 1
        if self._steps == _WARM:
            self._start = time.monotonic()
        if self._steps != _MEASURED or left <= 0:
            return None
        seconds = (time.monotonic() - self._start) / (_MEASURED - _WARM)
        return f"about {format_duration(seconds * left)} left"


def format_duration(seconds: float) -> str:
    """Format a duration as people say it.

    >>> format_duration(0.2), format_duration(44.0), format_duration(253.2), format_duration(9_000)
    ('1 second', '44 seconds', '4 minutes', '2.5 hours')
    """
    if seconds < _SHORT:
        count = max(1, round(seconds))
        return f"{count} second{'' if count == 1 else 's'}"
    minutes = seconds / 60
    return f"{round(minutes)} minutes" if minutes < _SHORT else f"{minutes / 60:.1f} hours"
