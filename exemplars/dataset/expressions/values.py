"""Values in other notations: where a text says 19:30 as "half past seven", or 2 as "two".

The form of a value (`2019-03-05`, `19:30`, `20`, `$20`, `50%`) determines which expressions may mean it, unless
the parameter declares a built-in recognizer, which does.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeVar

from exemplars.core.records import LabelledArgument
from exemplars.dataset.expressions.amounts import CURRENCIES, find_durations, find_money
from exemplars.dataset.expressions.dates import find_dates
from exemplars.dataset.expressions.mentions import Mention, Spanned, drop_parts, keep_longest, select_reading
from exemplars.dataset.expressions.numbers import ORDINALS, SCALES, TENS, UNITS, find_ordinals
from exemplars.dataset.expressions.quantities import WHOLE_PARTS, find_percentages, find_quantities
from exemplars.dataset.expressions.times import find_certain_times, find_times
from exemplars.dataset.expressions.words import find_wordings
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import BUILT_IN

Mentions = tuple[Mention[Any], ...]
S = TypeVar("S", bound=Spanned)

_ISO_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK_TIME: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_NUMBER: Final = re.compile(r"[+\u2212-]?\d+(?:\.\d+)?")
_HINT: Final = re.compile(
    rf"\d|\b(?:an?\s|half|noon|mid|{'|'.join([*UNITS, *TENS, *SCALES, *ORDINALS])})", re.IGNORECASE
)
"""What each of the expressions begins with or contains: looking for it first takes a fraction of the time."""
_NUMBER_PARTS: Final = (
    *UNITS,
    *TENS,
    *SCALES,
    *WHOLE_PARTS,
    *CURRENCIES,
    "minus",
    "negative",
    "billion",
    "\u2212",
    "-",
)
_DIGITS: Final = re.compile(r"\d+")
_UNIT: Final = re.compile(r"\b(day|week)s?\b", re.IGNORECASE)
_ONE_BEFORE: Final = re.compile(
    r"\b(?:the|this|that|which|what|another|other|any|every|each|(?:an?|the|this|that)\s\w+)\s$",
    re.IGNORECASE,
)
_ONE_AFTER: Final = re.compile(
    r"\s*(?:$|[.,;:!?)]|(?:and|at|but|for|from|has|i|if|in|instead|is|looks|near|on|or|please|seems|sounds|then|to|too|was|"
    r"will|with|works|would|you)\b|\w+[^\Wsu]s\b)",  # A word in s after "one" is a verb: "this one meets my needs".
    re.IGNORECASE,
)
_NO_COUNT_BEFORE: Final = re.compile(r"\bthe only\s$|(?:^|[.!?]\s)(?:good|great|nice)\s$", re.IGNORECASE)
"""Before "one" in "the only one", and in "Nice one.", which praises."""
_NO_COUNT: Final = re.compile(r"\s(?:that|which|who|i|we|you)\b|[\s-]way\b", re.IGNORECASE)
"""After "one": a relative clause, or "one way"."""
_CONTEXT_WIDTH: Final = 40
"""How much of a text before a word decides whether it is a pronoun."""


def find_value(
    text: str, label: LabelledArgument, parameter: Parameter, today: datetime.date | None
) -> Mentions:
    """Find the mentions of a value in any notation, or with its words in another form.

    today: what relative dates refer to; `None`: relative dates are not found.
    """
    kind = _determine_kind(label.value, parameter)
    if kind is None:
        wordings = (*label.spoken, label.value)
        return keep_longest(mention for wording in wordings for mention in find_wordings(text, wording))
    reading = _parse(kind, label.value)
    if reading is None:
        return find_wordings(text, label.value)
    mentions = select_reading(_find(kind, text, today), reading)
    if kind == "number":
        sums = find_sums(text, reading, parameter)
        return drop_other_uses(keep_longest([*sums, *mentions]), text, parameter, today)
    if kind == "time" and not mentions and parse_clock_time(label.value) is None:
        return find_wordings(text, label.value)  # "7 30 pm"
    return mentions


def find_notations(
    text: str, value: str, parameter: Parameter, today: datetime.date | None
) -> tuple[Mentions, Mentions]:
    """Find the mentions that may mean a value of a built-in kind; none for any other text.

    Returns those of which the value is the most likely reading, and the others.
    """
    kind = _determine_kind(value, parameter)
    reading = None if kind is None else _parse(kind, value)
    if kind is None or reading is None:
        return (), ()
    sums = find_sums(text, reading, parameter) if kind == "number" else ()
    mentions = [mention for mention in _find(kind, text, today) if reading in mention.readings]
    likely = [mention for mention in mentions if mention.readings[0] == reading]
    unlikely = [mention for mention in mentions if mention.readings[0] != reading]
    return (*sums, *likely), tuple(unlikely)


def has_repeatable_number(text: str) -> bool:
    """Return whether a text has a number that it can also say in words or in digits; most have none."""
    lowered = text.lower()
    return any(map(lowered.__contains__, _NUMBER_PARTS)) or len(_DIGITS.findall(text)) > 1


def drop_other_uses(
    spans: tuple[S, ...], text: str, parameter: Parameter, today: datetime.date | None
) -> tuple[S, ...]:
    """Drop the mentions of a number in a time or a date, and those that count nothing, if others stay.

    "One" counts nothing in "the cheap one" and "one way". The count in "in two days" stays for a parameter that
    counts days.
    """
    if len(spans) < 2:
        return spans
    dates = [
        date
        for date in find_dates(text, today)
        if not any(
            unit.lower() in parameter.name.lower() for unit in _UNIT.findall(text[date.start : date.end])
        )
    ]
    spans = drop_parts(spans, [*find_certain_times(text), *dates]) or spans
    return tuple(span for span in spans if not _is_weak(text, span)) or spans


def classify_value(value: str) -> str | None:
    """Return the built-in recognizer whose form a canonical value has; `None` for any other text.

    >>> [classify_value(value) for value in ("2019-03-05", "19:30", "-2.5", "$20", "an hour", "3rd", "Rome")]
    ['date', 'time', 'number', 'money', 'duration', 'ordinal', None]
    """
    return _classify(value)


def parse_clock_time(value: str) -> int | None:
    """Parse `19:30` as the minute of the day, 0 to 1439; `None` if it has a different form."""
    clock = _CLOCK_TIME.fullmatch(value)
    return None if clock is None else (int(clock[1]) * 60 + int(clock[2])) % 1440


def parse_digits(value: str) -> Decimal | None:
    """Parse `-2.5`; `None` if the value has a different form."""
    return Decimal(value.replace("\u2212", "-")) if _NUMBER.fullmatch(value) else None


def find_sums(text: str, amount: Decimal, parameter: Parameter) -> Mentions:
    """Find the sums of money that a number may be the value of: "20 dollars" for 20.

    The value of a parameter whose type is a number is the number without its currency: none is returned.
    """
    if parameter.type in ("integer", "number"):
        return ()
    return tuple(mention for mention in find_money(text) if mention.readings[0][0] == amount)


def _determine_kind(value: str, parameter: Parameter) -> str | None:
    return parameter.recognizer if parameter.recognizer in BUILT_IN else _classify(value)


@functools.lru_cache(maxsize=65536)
def _classify(value: str) -> str | None:
    if _ISO_DATE.fullmatch(value):
        return "date"
    if _CLOCK_TIME.fullmatch(value):
        return "time"
    if _NUMBER.fullmatch(value):
        return "number"
    for kind in ("money", "percent", "duration", "ordinal", "time") if _HINT.search(value) else ():
        mentions = _find(kind, value, None)
        # A time with two readings ("at 5") is not a canonical value.
        if len(mentions) == 1 and len(mentions[0].readings) == 1 and _is_whole(value, mentions[0]):
            return kind
    return None


def _is_whole(value: str, mention: Mention[Any]) -> bool:
    return mention.end - mention.start == len(value)


def _is_weak(text: str, span: Spanned) -> bool:
    """Return whether a span counts nothing ("the cheap one", "one way") or not exactly ("a couple of days")."""
    surface = text[span.start : span.end].lower()
    if surface != "one":
        return surface.startswith("a couple")
    before = text[max(0, span.start - _CONTEXT_WIDTH) : span.start]
    is_pronoun = _ONE_BEFORE.search(before) and _ONE_AFTER.match(text, span.end)
    return bool(is_pronoun or _NO_COUNT_BEFORE.search(before) or _NO_COUNT.match(text, span.end))


def _find(kind: str, text: str, today: datetime.date | None) -> Mentions:
    return find_dates(text, today) if kind == "date" else _FINDERS[kind](text)


def _parse(kind: str, value: str) -> Any:
    """Parse a canonical value as a reading of its kind; `None` if it has a different form."""
    if kind == "date":
        return _parse_date(value)
    if kind == "time" and (minute := parse_clock_time(value)) is not None:
        return minute
    if kind == "number" and (amount := parse_digits(value)) is not None:
        return amount
    mentions = _FINDERS[kind](value)
    return mentions[0].readings[0] if mentions else None


def _parse_date(value: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        return None


_FINDERS: Final[dict[str, Callable[[str], Mentions]]] = {
    "time": find_times,
    "number": find_quantities,
    "percent": find_percentages,
    "money": find_money,
    "duration": find_durations,
    "ordinal": find_ordinals,
}
