"""What a text means as a value of a kind: the inverse of `values.find_value`, by the same expressions."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from exemplars.dataset.expressions.dates import find_dates
from exemplars.dataset.expressions.mentions import Mention
from exemplars.dataset.expressions.quantities import find_quantities
from exemplars.dataset.expressions.times import find_times

READABLE: Final = ("date", "number", "time")
"""The kinds of values with a canonical form that does not depend on their dataset."""
_MINUTES: Final = 60
_ANY_DAY: Final = datetime.date(2000, 1, 1)


def read_value(text: str, start: int, end: int, kind: str, today: datetime.date | None) -> str | None:
    """Read the span of a text as the canonical value of a kind: one of `READABLE`.

    start, end: code points, end exclusive. today: what relative dates refer to; `None`: they have no reading.
    Returns the most likely reading; `None` if no expression of the kind covers the span, or is the only one in it.

    >>> read_value("wake me at half past 7 please", 11, 22, "time", None)
    '07:30'
    >>> read_value("for two nights", 4, 7, "number", None), read_value("for a few", 4, 9, "number", None)
    ('2', None)
    """
    surface = text[start:end]
    # In the whole text first, since the words around a number decide whether it is an hour.
    mentions = [
        mention for mention in _find(kind, text, today) if (mention.start, mention.end) == (start, end)
    ]
    inside = _find(kind, surface, today)
    mentions += [mention for mention in inside if (mention.start, mention.end) == (0, len(surface))]
    if not mentions and len(inside) == 1:
        mentions = list(inside)
    return _format(mentions[0].readings[0]) if mentions else None


def list_readings(text: str, today: datetime.date | None = None) -> list[str]:
    """List the canonical values of all expressions of a text, each once. today: what relative dates refer to.

    >>> list_readings("two seats at 8:30 pm")
    ['2', '20:30']
    """
    return list(
        dict.fromkeys(
            _format(reading)
            for kind in READABLE
            for mention in _find(kind, text, today)
            for reading in mention.readings
        )
    )


def find_expressions(text: str, kind: str) -> list[tuple[int, int]]:
    """Find the spans of all expressions of a kind: one of `READABLE`. Relative dates count, whatever they refer to.

    >>> find_expressions("tomorrow at 8:30 pm", "date"), find_expressions("tomorrow at 8:30 pm", "time")
    ([(0, 8)], [(12, 19)])
    """
    return [(mention.start, mention.end) for mention in _find(kind, text, _ANY_DAY)]


def _find(kind: str, text: str, today: datetime.date | None) -> tuple[Mention[Any], ...]:
    return find_dates(text, today) if kind == "date" else _FINDERS[kind](text)


def _format(reading: datetime.date | Decimal | int) -> str:
    if isinstance(reading, datetime.date):
        return reading.isoformat()
    if isinstance(reading, int):
        return f"{reading // _MINUTES:02}:{reading % _MINUTES:02}"
    return str(int(reading)) if reading == reading.to_integral_value() else str(reading.normalize())


_FINDERS: Final[dict[str, Callable[[str], tuple[Mention[Any], ...]]]] = {
    "number": find_quantities,
    "time": find_times,
}
