"""Numbers and ordinals, in digits or in English words."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from exemplars.dataset.expressions.mentions import Mention, keep_longest
from exemplars.dataset.expressions.white_space import read_single_spaces

UNITS: Final = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
SCALES: Final = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
ORDINALS: Final = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13,
    "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17, "eighteenth": 18,
    "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip

_WORD: Final = "|".join([*UNITS, *TENS, *SCALES])
DIGITS: Final = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
"""A number in digits: a regular expression without groups."""
_NEXT_WORD: Final = rf"(?:(?:\s+and\s+|\s*-\s*|\s+)(?:{_WORD}))"
WORDS: Final = rf"(?:{_WORD}){_NEXT_WORD}{{0,15}}"
"""Consecutive number words: a regular expression without groups. Not all such words are one number.

No number has more than 14 words; a pattern that goes on after the words takes linear time for this reason only.
"""
_ALL_WORDS: Final = rf"(?:{_WORD}){_NEXT_WORD}*"
START: Final = r"(?<![\w$€£])(?<!\d[.,:/])"
"""Where a number may begin."""
END: Final = r"(?![\w])(?![.,:/]\d)"
"""Where a number may end."""
_NUMBER: Final = re.compile(rf"{START}(?:(?P<digits>{DIGITS})|(?P<words>{_ALL_WORDS})){END}", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"\s*-\s*|\s+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
ORDINAL_WORDS: Final = (
    rf"(?:(?:{'|'.join(TENS)})[\s-]+)?(?:{'|'.join(sorted(ORDINALS, key=len, reverse=True))})"
)
_ORDINAL: Final = re.compile(
    rf"{START}(?:(?P<digits>\d{{1,18}})(?:st|nd|rd|th)|(?P<words>{ORDINAL_WORDS}))(?!\w)", re.IGNORECASE
)


@functools.lru_cache(maxsize=1024)
@read_single_spaces
def find_numbers(text: str) -> tuple[Mention[Decimal], ...]:
    """Find the cardinal numbers in a text.

    >>> find_numbers("two three, or 1,740")[2]
    Mention(start=14, end=19, readings=(Decimal('1740'),))
    """
    numbers: list[Mention[Decimal]] = []
    for match in _NUMBER.finditer(text):
        if match["digits"]:
            numbers.append(Mention(match.start(), match.end(), (parse_number(match["digits"]),)))
        else:
            numbers += _split_number_words(text, match.start(), match.end())
    return keep_longest(numbers)


@functools.lru_cache(maxsize=1024)
@read_single_spaces
def find_ordinals(text: str) -> tuple[Mention[int], ...]:
    """Find the ordinal numbers in a text."""
    return tuple(
        Mention(match.start(), match.end(), (parse_ordinal(match[0]),)) for match in _ORDINAL.finditer(text)
    )


def parse_number(text: str) -> Decimal:
    """Parse a number in digits or in words.

    Raises `ValueError` if the text is not a single number.

    >>> parse_number("1,740"), parse_number("one hundred and five")
    (Decimal('1740'), Decimal('105'))
    """
    with contextlib.suppress(InvalidOperation):
        number = Decimal(text.replace(",", ""))
        if number.is_finite():
            return number
    value = parse_number_words([word for word in _SEPARATOR.split(text.lower()) if word != "and"])
    if value is None:
        raise ValueError(f"{text!r} is not a number")
    return Decimal(value)


def parse_ordinal(text: str) -> int:
    """Parse `3rd`, `third` or `twenty-third`. Raises `ValueError` if the text is not an ordinal."""
    if text[:1].isdigit():
        return int(text.rstrip("sthndrSTHNDR"))
    *tens, last = _SEPARATOR.split(text.lower())
    if last not in ORDINALS or any(word not in TENS for word in tens):
        raise ValueError(f"{text!r} is not an ordinal")
    return sum(TENS[word] for word in tens) + ORDINALS[last]


def parse_number_words(words: Sequence[str]) -> int | None:
    """Parse number words, in lower case and without "and"; `None` if they are not one number."""
    value, length = _parse_longest_number(words, 0)
    return value if words and length == len(words) else None


def _parse_longest_number(words: Sequence[str], start: int) -> tuple[int, int]:
    """Parse as many number words as one number can have, from `start` on; "and" within a number is skipped.

    Returns the number, and the index after its last word; `start` if no number begins there.
    """
    total, group, last, scale, end = 0, 0, 0, 0, start
    before_units = (0, start)
    for index in range(start, len(words)):
        word = words[index]
        if word == "and" and index > start:
            continue
        if factor := SCALES.get(word):
            if last == factor or (factor == 100 and group >= 100) or (factor > 100 and 0 < scale <= factor):
                return (
                    before_units  # "two thousand five thousand" is two numbers: five belongs to the second.
                )
            group = max(group, 1) * factor
            if factor > 100:
                total, group, scale = total + group, 0, factor
            last = factor
            before_units = (total + group, index + 1)
        else:
            value = UNITS.get(word, TENS.get(word, -1))
            # After a scale or at the start, anything below 100 fits; after a ten, only a unit does.
            room = 100 if last in (0, *SCALES.values()) else 10 if last in TENS.values() else 0
            if value < 0 or value >= room or (last and value == 0):
                break
            group += value
            last = value or -1
        end = index + 1
    return total + group, end


def _split_number_words(text: str, start: int, end: int) -> list[Mention[Decimal]]:
    """Split consecutive number words into numbers, each as long as possible, from the left.

    Takes linear time: a number has a bounded count of words, and none is looked at again after it.
    """
    matches = list(_LETTERS.finditer(text, start, end))
    words = [match[0].lower() for match in matches]
    numbers, index = [], 0
    while index < len(words):
        value, stop = _parse_longest_number(words, index)
        if stop > index:
            numbers.append(Mention(matches[index].start(), matches[stop - 1].end(), (Decimal(value),)))
        index = max(stop, index + 1)
    return numbers
