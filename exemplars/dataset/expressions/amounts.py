"""Sums of money and durations. The reading of a sum is its amount and currency, of a duration its seconds."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from typing import Final

from exemplars.dataset.expressions.mentions import Mention, keep_longest
from exemplars.dataset.expressions.numbers import DIGITS, START, WORDS, parse_number
from exemplars.dataset.expressions.white_space import read_single_spaces

Money = tuple[Decimal, str]
"""The amount and the ISO 4217 code of the currency."""

_SYMBOLS: Final = {"$": "USD", "€": "EUR", "£": "GBP"}
_CURRENCIES: Final = {
    "dollars": "USD", "dollar": "USD", "bucks": "USD", "buck": "USD", "usd": "USD",
    "euros": "EUR", "euro": "EUR", "eur": "EUR",
    "pounds": "GBP", "pound": "GBP", "quid": "GBP", "gbp": "GBP",
}  # fmt: skip
CURRENCIES: Final = (*_SYMBOLS, *_CURRENCIES)
"""The signs and words of which a sum of money has one."""
_MONEY: Final = re.compile(
    rf"(?<!\w)(?:(?P<symbol>[$€£])\s?(?P<sum>{DIGITS})(?!\w)(?![.,]\d)|"
    rf"{START}(?P<number>{DIGITS}|{WORDS})\s*(?P<currency>{'|'.join(_CURRENCIES)}))(?!\w)",
    re.IGNORECASE,
)
_SECONDS: Final = {
    "second": 1,
    "sec": 1,
    "minute": 60,
    "min": 60,
    "hour": 3600,
    "hr": 3600,
    "day": 86400,
    "week": 604800,
}
_UNIT: Final = "|".join(sorted(_SECONDS, key=len, reverse=True))
_DURATION_PART: Final = (
    rf"(?:{DIGITS}|an?|{WORDS}|half\s+an?|a\s+quarter\s+of\s+an)[\s-]*(?:{_UNIT})s?(?:\s+and\s+a\s+half)?"
)
_DURATION: Final = re.compile(
    rf"{START}{_DURATION_PART}(?:(?:\s*,\s*|\s+and\s+|\s+){_DURATION_PART})*(?!\w)", re.IGNORECASE
)
_PART: Final = re.compile(
    rf"(?P<half>half\s+an?)|(?P<quarter>a\s+quarter\s+of\s+an)|(?P<number>{DIGITS}|{WORDS})|(?P<single>an?\b)",
    re.IGNORECASE,
)
_EACH_UNIT: Final = re.compile(rf"({_UNIT})s?\b(\s+and\s+a\s+half)?", re.IGNORECASE)


@functools.lru_cache(maxsize=1024)
@read_single_spaces
def find_money(text: str) -> tuple[Mention[Money], ...]:
    """Find the sums of money in a text.

    >>> find_money("twenty bucks or so")
    (Mention(start=0, end=12, readings=((Decimal('20'), 'USD'),)),)
    """
    lowered = text.lower()
    if not any(map(lowered.__contains__, CURRENCIES)):
        return ()
    sums = []
    for match in _MONEY.finditer(text):
        try:
            amount = parse_number(match["sum"] or match["number"])
        except ValueError:  # A row of number words that is not one number.
            continue
        currency = _SYMBOLS[match["symbol"]] if match["symbol"] else _CURRENCIES[match["currency"].lower()]
        sums.append(Mention(match.start(), match.end(), ((amount, currency),)))
    return keep_longest(sums)


@functools.lru_cache(maxsize=1024)
@read_single_spaces
def find_durations(text: str) -> tuple[Mention[Decimal], ...]:
    """Find the durations in a text. A reading is the number of seconds."""
    durations = []
    for match in _DURATION.finditer(text):
        seconds = _parse_duration(match[0])
        if seconds is not None:
            durations.append(Mention(match.start(), match.end(), (seconds,)))
    return keep_longest(durations)


def _parse_duration(text: str) -> Decimal | None:
    """Add up the seconds of "two hours and 15 minutes"; `None` if a count is not a number."""
    total, position = Decimal(0), 0
    for unit in _EACH_UNIT.finditer(text):
        count = _PART.search(text, position, unit.start())
        if count is None:
            return None
        try:
            number = (
                Decimal("0.5") if count["half"]
                else Decimal("0.25") if count["quarter"]
                else parse_number(count["number"]) if count["number"]
                else Decimal(1)
            )  # fmt: skip
        except ValueError:
            return None
        total += (number + (Decimal("0.5") if unit[2] else 0)) * _SECONDS[unit[1].lower()]
        position = unit.end()
    return total
