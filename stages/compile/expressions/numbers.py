"""Numbers and ordinals, in digits or in English words."""

from __future__ import annotations

import functools
import re
from decimal import Decimal, InvalidOperation
from typing import Final

from stages.compile.expressions.mentions import Mention, keep_longest

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
WORDS: Final = rf"(?:{_WORD})(?:(?:\s+and\s+|\s*-\s*|\s+)(?:{_WORD}))*"
"""Consecutive number words: a regular expression without groups. Not all such words are one number."""
START: Final = r"(?<![\w$€£])(?<!\d[.,:/])"
"""Where a number may begin."""
END: Final = r"(?![\w])(?![.,:/]\d)"
"""Where a number may end."""
_NUMBER: Final = re.compile(rf"{START}(?:(?P<digits>{DIGITS})|(?P<words>{WORDS})){END}", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"\s*-\s*|\s+")
ORDINAL_WORDS: Final = (
    rf"(?:(?:{'|'.join(TENS)})[\s-]+)?(?:{'|'.join(sorted(ORDINALS, key=len, reverse=True))})"
)
_ORDINAL: Final = re.compile(
    rf"{START}(?:(?P<digits>\d+)(?:st|nd|rd|th)|(?P<words>{ORDINAL_WORDS}))(?!\w)", re.IGNORECASE
)


@functools.lru_cache(maxsize=1024)
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
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        pass
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


def parse_number_words(words: list[str]) -> int | None:
    """Parse number words, in lower case and without "and"; `None` if they are not one number."""
    total, group, last = 0, 0, 0
    for word in words:
        if word in SCALES:
            scale = SCALES[word]
            if last == scale or (scale > 100 and total and total < scale):
                return None
            group = max(group, 1) * scale
            if scale > 100:
                total, group = total + group, 0
            last = scale
        else:
            value = UNITS.get(word, TENS.get(word, -1))
            # After a scale or at the start, anything below 100 fits; after a ten, only a unit does.
            room = 100 if last in (0, 100, 1000, 1_000_000) else 10 if last in TENS.values() else 0
            if value < 0 or value >= room or (last and value == 0) or (room == 100 and last == 0 and group):
                return None
            group += value
            last = value or -1
    return total + group if words else None


def _split_number_words(text: str, start: int, end: int) -> list[Mention[Decimal]]:
    """Split consecutive number words into numbers, each as long as possible, from the left."""
    words = [
        (start + match.start(), start + match.end(), match[0].lower())
        for match in re.finditer(r"[^\W\d_]+", text[start:end])
    ]
    numbers, index = [], 0
    while index < len(words):
        for last in range(len(words), index, -1):
            candidate = [word for _, _, word in words[index:last]]
            value = parse_number_words([word for word in candidate if word != "and"])
            if candidate[0] != "and" and candidate[-1] != "and" and value is not None:
                numbers.append(Mention(words[index][0], words[last - 1][1], (Decimal(value),)))
                index = last
                break
        else:
            index += 1
    return numbers
