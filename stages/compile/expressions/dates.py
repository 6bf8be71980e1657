"""Dates, absolute and relative to a day."""

from __future__ import annotations

import calendar
import datetime
import functools
import re
from typing import Final

from stages.compile.expressions.mentions import Mention, longest
from stages.compile.expressions.numbers import ORDINAL_WORDS, UNITS, number_of, ordinal_of

_MONTHS: Final = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr, ["", *[""] * 8, "Sept"])
    for number, name in enumerate(names)
    if name
}
_WEEKDAYS: Final = {
    name.lower(): number
    for names in (calendar.day_name, calendar.day_abbr, ["", "Tues", "", "Thurs"])
    for number, name in enumerate(names)
    if name
}
_MONTH: Final = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WEEKDAY: Final = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_DAY: Final = rf"\d{{1,2}}(?:st|nd|rd|th)?|{ORDINAL_WORDS}"
_NTH: Final = rf"\d{{1,2}}(?:st|nd|rd|th)|{ORDINAL_WORDS}"
_YEAR: Final = r"(?:,?\s+(?P<year>(?:19|20)\d\d))?"
_COUNT: Final = rf"\d{{1,3}}|an?|{'|'.join(UNITS)}"
_RULES: Final = tuple(
    re.compile(rf"(?<![\w/])(?<!\d[-.,])(?:{pattern})(?![\w/])(?!-\d)", re.IGNORECASE)
    for pattern in (
        r"(?P<iso>(?:19|20)\d\d-\d\d-\d\d)",
        r"(?P<slash>\d{1,2}/\d{1,2}(?:/(?:19|20)?\d\d)?)",
        rf"(?P<month>{_MONTH})\.?\s+(?:the\s+)?(?P<day>{_DAY}){_YEAR}",
        rf"(?P<day>{_DAY})\s+(?:day\s+)?(?:of\s+)?(?P<month>{_MONTH})\b{_YEAR}",
        rf"(?P<day>{_NTH})\s+(?:day\s+)?of\s+(?P<which>this|next|the)\s+month",
        rf"the\s+(?P<day>{_NTH})",
        rf"(?:(?P<lead>this\s+coming|this|next|coming|upcoming)\s+)?(?P<weekday>{_WEEKDAY})"
        r"(?:\s+(?:of\s+)?(?P<week>this|next)\s+week)?",
        r"(?P<named>day\s+after\s+tomorrow|later\s+today|today|tonight|tomorrow|yesterday)",
        rf"in\s+(?P<count>{_COUNT})\s+(?P<unit>days?|weeks?)",
        rf"(?P<count>{_COUNT})\s+(?P<unit>days?|weeks?)\s+from\s+(?:now|today)",
    )
)
_NAMED: Final = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}


@functools.lru_cache(maxsize=1024)
def dates_in(text: str, today: datetime.date | None) -> tuple[Mention[datetime.date], ...]:
    """The dates in a text.

    today: what relative dates, and dates without a year, refer to; null: these are not found.
    Readings: a date without a year is this year's, then next year's; "next Friday" is the Friday of
    the week after this one, then the coming Friday; a weekday alone is the coming one.
    """
    found = []
    for rule in _RULES:
        for match in rule.finditer(text):
            readings = tuple(dict.fromkeys(_readings(match.groupdict(), today)))
            if readings:
                found.append(Mention(match.start(), match.end(), readings))
    return longest(found)


def _readings(parts: dict[str, str | None], today: datetime.date | None) -> list[datetime.date]:
    try:
        if iso := parts.get("iso"):
            return [datetime.date.fromisoformat(iso)]
        if slash := parts.get("slash"):
            month, day, *year = map(int, slash.split("/"))
            return _in_years(month, day, str(year[0] + 2000 * (year[0] < 100)) if year else None, today)
        if month_name := parts.get("month"):
            return _in_years(_MONTHS[month_name.lower()], _day(str(parts["day"])), parts.get("year"), today)
        return [] if today is None else _relative(parts, today)
    except (ValueError, OverflowError):
        return []


def _relative(parts: dict[str, str | None], today: datetime.date) -> list[datetime.date]:
    if weekday := parts.get("weekday"):
        return _weekday(_WEEKDAYS[weekday.lower()], parts, today)
    if named := parts.get("named"):
        words = named.lower().split()
        days = 2 if "after" in words else _NAMED[words[-1]]
        return [today + datetime.timedelta(days)]
    if count := parts.get("count"):
        number = 1 if count.lower() in ("a", "an") else int(number_of(count))
        days = number * (7 if str(parts["unit"]).lower().startswith("week") else 1)
        return [today + datetime.timedelta(days)]
    day = _day(str(parts["day"]))
    this, following = today.replace(day=1), (today.replace(day=28) + datetime.timedelta(4)).replace(day=1)
    if (parts.get("which") or "").lower() == "next":
        return [following.replace(day=day)]
    months = [this, following] if day >= today.day or parts.get("which") else [following, this]
    return [one.replace(day=day) for one in months if day <= calendar.monthrange(one.year, one.month)[1]]


def _weekday(weekday: int, parts: dict[str, str | None], today: datetime.date) -> list[datetime.date]:
    in_this_week = today + datetime.timedelta(weekday - today.weekday())
    in_next_week = in_this_week + datetime.timedelta(7)
    coming = today + datetime.timedelta((weekday - today.weekday() - 1) % 7 + 1)
    lead, week = (parts.get("lead") or "").lower(), (parts.get("week") or "").lower()
    if week:
        return [in_next_week if week == "next" else in_this_week]
    if lead == "next":
        return [in_next_week, coming]
    return [coming, in_this_week] if in_this_week == today else [coming]


def _in_years(month: int, day: int, year: str | None, today: datetime.date | None) -> list[datetime.date]:
    if year:
        return [datetime.date(int(year), month, day)]
    if today is None:
        return []
    this = datetime.date(today.year, month, day)
    following = datetime.date(today.year + 1, month, day)
    return [this, following] if this >= today else [following, this]


def _day(text: str) -> int:
    return int(text) if text.isdigit() else ordinal_of(text)
