"""Times of day. A reading is the minute of the day, 0 to 1439."""

from __future__ import annotations

import functools
import re
from typing import Final

from exemplars.dataset.expressions.mentions import Mention, keep_longest
from exemplars.dataset.expressions.numbers import UNITS, parse_number
from exemplars.dataset.expressions.white_space import read_single_spaces

_HOUR_WORDS: Final = "|".join(
    sorted((word for word, hour in UNITS.items() if 1 <= hour <= 12), key=len)[::-1]
)
_MINUTE_WORDS: Final = (
    r"(?:oh[\s-]+)?(?:twenty|thirty|forty|fifty)(?:[\s-]+(?:one|two|three|four|five|six|seven|eight|nine))?"
    r"|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|oh[\s-]+\w+"
)
_CLOCK: Final = r"""\s*o\s*['"’‘`]?\s*clock"""
_SUFFIX: Final = (
    r"\s*(?:(?P<am>a\.\s?m\.|a\.?\s?m\b)|(?P<pm>p\.\s?m\.|p\.?\s?m\b)|"
    r"(?:(?:(?P<within>in\s+the)|(?P<link>at|this|tomorrow|today))\s*)?(?:the\s+)?"
    r"(?P<part>morning|afternoon|evening|night)\b"
    # In "a table for two at evening 7", evening belongs to 7.
    r"(?!\s+\d{1,2}:\d)(?(within)|(?!\s+\d{1,2}(?!\w))))"
)
_START: Final = r"(?<![\w$€£:/])(?<!\d[.,])"
_END: Final = r"(?!\w)(?![:/]\d)(?!\.\d)"
_PREFIX: Final = r"(?:(?P<before>morning|afternoon|evening|night)\s+)"
_TIME: Final = re.compile(
    rf"{_START}{_PREFIX}?(?:"
    rf"(?P<relation>half|quarter|\d{{1,2}}|five|ten|twenty|twenty[\s-]five)(?:\s+minutes?)?\s+"
    rf"(?P<direction>past|after|to|till|before)\s+(?P<near>\d{{1,2}}|{_HOUR_WORDS})"
    rf"|half\s+(?P<half>\d{{1,2}}|{_HOUR_WORDS})"
    rf"|(?P<military>(?:[01]\d|2[0-4])[0-5]\d)\s*(?:hours|hrs)"
    rf"|(?P<hour>\d{{1,2}})(?:[:.h](?P<minute>[0-5]\d)(?::00)?)"
    rf"|(?P<hourword>{_HOUR_WORDS})[\s-]+(?P<minuteword>{_MINUTE_WORDS})"
    rf"|(?P<bare>\d{{1,2}}|{_HOUR_WORDS})"
    rf")(?:(?P<clock>{_CLOCK})?(?:{_SUFFIX})?){_END}",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(r"(?<!\w)(?P<name>noon|midday|midnight)(?!\w)", re.IGNORECASE)
_NAMES: Final = {"noon": 720, "midday": 720, "midnight": 0}
_BEFORE_PART: Final = re.compile(rf"\b(?:each|every|per|\d+|{'|'.join(UNITS)})\s+$", re.IGNORECASE)
"""Before a night or an evening that is counted, not a part of the day of the hour after it."""
_BEFORE_BARE: Final = re.compile(
    r"(?:\b(?:at|around|by|about|from|until|till|before|after|past)|@)\s+$", re.IGNORECASE
)
_PREPOSITION_WIDTH: Final = 16
"""More than the code points of the longest of these, a space, and the one before them."""


@functools.lru_cache(maxsize=1024)
@read_single_spaces
def find_times(text: str) -> tuple[Mention[int], ...]:
    """Find the times of day in a text.

    An hour without a part of the day has two readings; the one in the usual waking day (7:00 to
    18:59) comes first. A number alone is a time only after a word such as "at", and a part of the day belongs to
    an hour only with a word between them: "one night" is a count.

    >>> find_times("at 5")
    (Mention(start=3, end=4, readings=(1020, 300)),)
    """
    times = [
        Mention(match.start(), match.end(), (_NAMES[match["name"].lower()],))
        for match in _NAMED.finditer(text)
    ]
    for match in _TIME.finditer(text):
        readings = _list_readings(match, text)
        if readings:
            times.append(Mention(match.start(), match.end(), readings))
    return keep_longest(times)


@functools.lru_cache(maxsize=1024)
@read_single_spaces
def find_certain_times(text: str) -> tuple[Mention[int], ...]:
    """Find the times of day that can be nothing else, so that no number in them is a count.

    >>> find_certain_times("about 5 people at 7 pm")
    (Mention(start=18, end=22, readings=(1140,)),)
    """
    certain = []
    for match in _TIME.finditer(text):
        if match["hour"] or match["direction"] or match["military"] or _has_part_of_day(match):
            readings = _list_readings(match, text)
            if readings:
                certain.append(Mention(match.start(), match.end(), readings))
    return tuple(certain)


def _list_readings(match: re.Match[str], text: str) -> tuple[int, ...]:
    hour, minute = _parse_clock(match)
    if hour > 24 or minute > 59 or (match["bare"] and not _has_hour_context(match, text)):
        return ()
    part = _parse_part_of_day(match)
    minutes = hour * 60 + minute
    if match["direction"]:
        offset = 30 if minute == 30 else minute
        sign = 1 if match["direction"].lower() in ("past", "after") else -1
        minutes = hour * 60 + sign * offset
    if match["military"] or hour > 12 or (hour == 0 and not match["direction"]):
        return (minutes % 1440,)
    return tuple(dict.fromkeys(reading % 1440 for reading in _resolve_part_of_day(minutes, hour, part)))


def _has_hour_context(match: re.Match[str], text: str) -> bool:
    """Return whether the words around a number make it an hour."""
    before = text[max(0, match.start() - _PREPOSITION_WIDTH) : match.start()]
    if _has_part_of_day(match) or _BEFORE_BARE.search(before):
        return True
    return match["before"] is not None and _BEFORE_PART.search(before) is None


def _has_part_of_day(match: re.Match[str]) -> bool:
    """Return whether "am", "o'clock" or "in the evening" follows."""
    return any(match[name] for name in ("am", "pm", "clock", "within", "link"))


def _parse_clock(match: re.Match[str]) -> tuple[int, int]:
    """Parse hour and minute as spoken; with "past" or "to", the minutes are those after or before the hour."""
    if match["direction"]:
        relation = match["relation"].lower()
        named = {"half": 30, "quarter": 15}
        return int(parse_number(match["near"])), named.get(relation) or int(parse_number(relation))
    if match["half"]:
        return int(parse_number(match["half"])), 30
    if match["military"]:
        return int(match["military"][:2]), int(match["military"][2:])
    if match["hour"]:
        return int(match["hour"]), int(match["minute"])
    if match["hourword"]:
        minute = re.sub(r"^oh[\s-]+", "", match["minuteword"].lower())
        try:
            return int(parse_number(match["hourword"])), int(parse_number(minute))
        except ValueError:
            return 99, 0  # Not a time: the caller drops it.
    return int(parse_number(match["bare"])), 0


def _parse_part_of_day(match: re.Match[str]) -> str:
    if match["am"] or match["pm"]:
        return "am" if match["am"] else "pm"
    return (match["part"] or match["before"] or "").lower()


def _resolve_part_of_day(minutes: int, hour: int, part: str) -> tuple[int, ...]:
    """Return the minutes of the day that a time on a twelve-hour clock may mean in a part of the day."""
    noon = minutes + (0 if hour == 12 else 720)
    midnight = minutes - (720 if hour == 12 else 0)
    match part:
        case "am" | "morning":
            return (midnight,) if hour != 12 or part == "am" else (midnight, noon)
        case "pm" | "afternoon" | "evening":
            return (noon,)
        case "night":
            return (noon,) if 5 <= hour < 12 else (midnight,)
        case _:
            return (noon, midnight) if hour < 7 or hour == 12 else (midnight, noon)
