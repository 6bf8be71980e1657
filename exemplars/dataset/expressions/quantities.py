"""Quantities: numbers with what is said around them, such as a sign, a fraction, a dozen or a percent sign."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from typing import Final

from exemplars.dataset.expressions.mentions import Mention, keep_longest
from exemplars.dataset.expressions.numbers import DIGITS, END, SCALES, START, find_numbers
from exemplars.dataset.expressions.white_space import read_single_spaces

_MINUS: Final = re.compile(r"(?:(?<!\w)(?:minus|negative)\s|(?<!\w)[-\u2212])$", re.IGNORECASE)
_MINUS_WORD: Final = re.compile(r"(?:^|[^\w\s]\s*|[^\W\d]\s)(?:minus|negative)\s$", re.IGNORECASE)
_BEFORE_WIDTH: Final = 12
"""More than the code points of the longest sign, its space, and the code point before it."""
_FRACTIONS: Final = {
    "a half": Decimal("0.5"), "half": Decimal("0.5"), "a quarter": Decimal("0.25"),
    "one quarter": Decimal("0.25"), "three quarters": Decimal("0.75"),
    "½": Decimal("0.5"), "¼": Decimal("0.25"), "¾": Decimal("0.75"),
}  # fmt: skip
_FRACTION: Final = "|".join(_FRACTIONS)
_SCALES: Final = {"k": 1000, **SCALES, "billion": 10**9, "dozen": 12}
_SCALE: Final = "|".join(_SCALES)
_RATIO: Final = r"(?P<numerator>\d{1,3})/(?P<denominator>[1-9]\d{0,2})"
_AFTER: Final = re.compile(
    rf"(?:\s(?P<scale>{_SCALE})|(?:\sand\s|\s?(?=[½¼¾]))(?P<fraction>{_FRACTION})|\s{_RATIO}){END}",
    re.IGNORECASE,
)
_WHOLE: Final = re.compile(
    rf"{START}(?:(?P<group>half a dozen|a dozen|a couple(?: of)?)|(?P<fraction>{_FRACTION})|{_RATIO}|"
    rf"(?P<digits>{DIGITS})k){END}",
    re.IGNORECASE,
)
_GROUPS: Final = {"half a dozen": 6, "a dozen": 12, "a couple": 2, "a couple of": 2}
WHOLE_PARTS: Final = ("half", "quarter", "dozen", "couple", "/", "½", "¼", "¾")
_THOUSANDS: Final = re.compile(r"\dk")
_PERCENT: Final = re.compile(r"\s?(?:%|per\s?cent(?!\w))", re.IGNORECASE)


@functools.lru_cache(maxsize=1024)
@read_single_spaces
def find_quantities(text: str) -> tuple[Mention[Decimal], ...]:
    """Find the numbers in a text, with their signs, fractions and scales, and "half", "a dozen", "a couple".

    >>> [mention.readings for mention in find_quantities("minus two, 3.5 million or two and a half")]
    [(Decimal('-2'),), (Decimal('3500000.0'),), (Decimal('2.5'),)]
    """
    numbers = find_numbers(text)
    ends = {number.end for number in numbers}
    quantities = [_add_sign(_extend(number, text), text, ends) for number in numbers]
    for match in _WHOLE.finditer(text) if _may_have_whole(text) else ():
        whole = Mention(match.start(), match.end(), (_parse_whole(match),))
        quantities.append(_add_sign(whole, text, ends))
    return keep_longest(quantities)


@functools.lru_cache(maxsize=1024)
@read_single_spaces
def find_percentages(text: str) -> tuple[Mention[Decimal], ...]:
    """Find the percentages in a text. The reading of "fifty percent" is 50."""
    percentages = []
    for quantity in find_quantities(text):
        if sign := _PERCENT.match(text, quantity.end):
            percentages.append(quantity._replace(end=sign.end()))
    return tuple(percentages)


def is_part_of_quantity(text: str, start: int, end: int) -> bool:
    """Return whether a number in digits at a span is part of a longer expression, such as "5 million".

    >>> is_part_of_quantity("5 million", 0, 1), is_part_of_quantity("5 people", 0, 1)
    (True, False)
    """
    before = text[max(0, start - _BEFORE_WIDTH) : start]
    return _AFTER.match(text, end) is not None or _MINUS_WORD.search(before) is not None


def _may_have_whole(text: str) -> bool:
    """Return whether a text can contain what `_WHOLE` matches; most do not, and this is found out faster."""
    lowered = text.lower()
    return any(map(lowered.__contains__, WHOLE_PARTS)) or _THOUSANDS.search(lowered) is not None


def _extend(number: Mention[Decimal], text: str) -> Mention[Decimal]:
    """Extend a number by a scale or a fraction after it."""
    after = _AFTER.match(text, number.end)
    if after is None:
        return number
    value = number.readings[0]
    if after["scale"]:
        return Mention(number.start, after.end(), (value * _SCALES[after["scale"].lower()],))
    return Mention(number.start, after.end(), (value + _parse_fraction(after),))


def _add_sign(number: Mention[Decimal], text: str, ends: set[int]) -> Mention[Decimal]:
    """Extend a number by a sign before it. ends: where numbers end; in "five minus two", minus is no sign."""
    before = text[max(0, number.start - _BEFORE_WIDTH) : number.start]
    sign = _MINUS.search(before)
    if sign is None or number.start - len(sign[0]) - 1 in ends:
        return number
    return Mention(number.start - len(sign[0]), number.end, (-number.readings[0],))


def _parse_whole(match: re.Match[str]) -> Decimal:
    if match["group"]:
        return Decimal(_GROUPS[match["group"].lower()])
    if match["digits"]:
        return Decimal(match["digits"].replace(",", "")) * 1000
    return _parse_fraction(match)


def _parse_fraction(match: re.Match[str]) -> Decimal:
    if match["fraction"]:
        return _FRACTIONS[match["fraction"].lower()]
    return Decimal(match["numerator"]) / Decimal(match["denominator"])
