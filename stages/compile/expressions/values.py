"""Values in other notations: where a text says 19:30 as "half past seven", or 2 as "two".

The form of a value (`2019-03-05`, `19:30`, `20`, `$20`) determines which expressions may mean it, unless
the parameter declares a built-in recognizer, which does.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from exemplars.core.records import LabelledArgument
from exemplars.dataset.catalog import Parameter
from exemplars.dataset.recognizers import BUILT_IN
from stages.compile.expressions.amounts import find_durations, find_money
from stages.compile.expressions.dates import find_dates
from stages.compile.expressions.mentions import Mention, drop_parts, keep_longest, select_reading
from stages.compile.expressions.numbers import find_numbers, find_ordinals, parse_number, parse_ordinal
from stages.compile.expressions.times import find_times
from stages.compile.expressions.words import find_wordings

Mentions = tuple[Mention[Any], ...]

_ISO_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK_TIME: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")


def find_value(
    text: str, label: LabelledArgument, parameter: Parameter, today: datetime.date | None
) -> Mentions:
    """Find the mentions of a value in any notation, or with its words in another form.

    today: what relative dates refer to; `None`: relative dates are not found.
    """
    kind = parameter.recognizer if parameter.recognizer in BUILT_IN else classify_value(label.value)
    if kind is None:
        wordings = (*label.spoken, label.value)
        return keep_longest(mention for wording in wordings for mention in find_wordings(text, wording))
    if kind == "number":
        return _find_number(text, label.value, parameter, today)
    return _FINDERS[kind](text, label.value, today)


def classify_value(value: str) -> str | None:
    """Return the built-in recognizer whose form a canonical value has; `None` for any other text.

    >>> [classify_value(value) for value in ("2019-03-05", "19:30", "-2.5", "$20", "an hour", "3rd", "Rome")]
    ['date', 'time', 'number', 'money', 'duration', 'ordinal', None]
    """
    if _ISO_DATE.fullmatch(value):
        return "date"
    if _CLOCK_TIME.fullmatch(value):
        return "time"
    if _NUMBER.fullmatch(value):
        return "number"
    if _is_whole(value, find_money(value)):
        return "money"
    if _is_whole(value, find_durations(value)):
        return "duration"
    if _is_whole(value, find_ordinals(value)):
        return "ordinal"
    return None


def parse_clock_time(value: str) -> int | None:
    """Parse `19:30` as the minute of the day, 0 to 1439; `None` if it has a different form."""
    clock = _CLOCK_TIME.fullmatch(value)
    return None if clock is None else (int(clock[1]) * 60 + int(clock[2])) % 1440


def parse_digits(value: str) -> Decimal | None:
    """Parse `-2.5`; `None` if the value has a different form."""
    return Decimal(value) if _NUMBER.fullmatch(value) else None


def find_sums(text: str, amount: Decimal, parameter: Parameter) -> Mentions:
    """Find the sums of money that a number may be the value of: "20 dollars" for 20.

    The value of a parameter whose type is a number is the number without its currency: none is returned.
    """
    if parameter.type in ("integer", "number"):
        return ()
    return tuple(mention for mention in find_money(text) if mention.readings[0][0] == amount)


def _is_whole(value: str, mentions: Mentions) -> bool:
    return bool(mentions) and mentions[0].end - mentions[0].start == len(value)


def _find_number(text: str, value: str, parameter: Parameter, today: datetime.date | None) -> Mentions:
    try:
        amount = parse_number(value)
    except ValueError:
        return find_wordings(text, value)
    sums = find_sums(text, amount, parameter)
    numbers = select_reading(find_numbers(text), amount)
    if len(numbers) < 2 and not sums:
        return numbers
    alone = drop_parts(numbers, [*sums, *find_times(text), *find_dates(text, today)])
    return tuple(sorted([*sums, *alone])) or numbers


def _find_date(text: str, value: str, today: datetime.date | None) -> Mentions:
    try:
        return select_reading(find_dates(text, today), datetime.date.fromisoformat(value))
    except ValueError:
        return find_wordings(text, value)


def _find_time(text: str, value: str, today: datetime.date | None) -> Mentions:
    minute = parse_clock_time(value)
    return find_wordings(text, value) if minute is None else select_reading(find_times(text), minute)


def _find_money(text: str, value: str, today: datetime.date | None) -> Mentions:
    sums = find_money(value)
    return select_reading(find_money(text), sums[0].readings[0]) if sums else find_wordings(text, value)


def _find_duration(text: str, value: str, today: datetime.date | None) -> Mentions:
    durations = find_durations(value)
    if not durations:
        return find_wordings(text, value)
    return select_reading(find_durations(text), durations[0].readings[0])


def _find_ordinal(text: str, value: str, today: datetime.date | None) -> Mentions:
    try:
        return select_reading(find_ordinals(text), parse_ordinal(value))
    except ValueError:
        return find_wordings(text, value)


_FINDERS: Final[dict[str, Callable[[str, str, datetime.date | None], Mentions]]] = {
    "date": _find_date,
    "time": _find_time,
    "money": _find_money,
    "duration": _find_duration,
    "ordinal": _find_ordinal,
}
