"""Dates, absolute or relative to a given day."""

from __future__ import annotations

import calendar
import datetime
import functools
import re
from typing import Final

from stages.compile.expressions.mentions import Mention, keep_longest
from stages.compile.expressions.numbers import ORDINAL_WORDS, UNITS, parse_number, parse_ordinal

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
def find_dates(text: str, today: datetime.date | None) -> tuple[Mention[datetime.date], ...]:
    """Find the dates in a text.

    today: what relative dates and dates without a year refer to; `None`: these are not found.
    Readings, in order: for a date without a year, this year and next year, the future one first; for "next
    Friday", the Friday of the week after this one and the coming Friday; for a weekday alone, the coming one.

    >>> find_dates("on March 5th", datetime.date(2019, 3, 1))[0].readings[0]
    datetime.date(2019, 3, 5)
    """
    dates = []
    for rule in _RULES:
        for match in rule.finditer(text):
            readings = tuple(dict.fromkeys(_list_readings(match.groupdict(), today)))
            if readings:
                dates.append(Mention(match.start(), match.end(), readings))
    return keep_longest(dates)


def _list_readings(parts: dict[str, str | None], today: datetime.date | None) -> list[datetime.date]:
    try:
        if iso := parts.get("iso"):
            return [datetime.date.fromisoformat(iso)]
        if slash := parts.get("slash"):
            month, day, *year = map(int, slash.split("/"))
            return _add_years(month, day, str(year[0] + 2000 * (year[0] < 100)) if year else None, today)
        if month_name := parts.get("month"):
            return _add_years(
                _MONTHS[month_name.lower()], _parse_day(str(parts["day"])), parts.get("year"), today
            )
        return [] if today is None else _resolve_relative(parts, today)
    except (ValueError, OverflowError):  # There is no such day: February 30th.
        return []


def _resolve_relative(parts: dict[str, str | None], today: datetime.date) -> list[datetime.date]:
    if weekday := parts.get("weekday"):
        return _resolve_weekday(_WEEKDAYS[weekday.lower()], parts, today)
    if named := parts.get("named"):
        words = named.lower().split()
        days = 2 if "after" in words else _NAMED[words[-1]]
        return [today + datetime.timedelta(days)]
    if count := parts.get("count"):
        number = 1 if count.lower() in ("a", "an") else int(parse_number(count))
        days = number * (7 if str(parts["unit"]).lower().startswith("week") else 1)
        return [today + datetime.timedelta(days)]
    day = _parse_day(str(parts["day"]))
    this, following = today.replace(day=1), (today.replace(day=28) + datetime.timedelta(4)).replace(day=1)
    if (parts.get("which") or "").lower() == "next":
        return [following.replace(day=day)]
    months = [this, following] if day >= today.day or parts.get("which") else [following, this]
    return [
        month.replace(day=day) for month in months if day <= calendar.monthrange(month.year, month.month)[1]
    ]


def _resolve_weekday(weekday: int, parts: dict[str, str | None], today: datetime.date) -> list[datetime.date]:
    in_this_week = today + datetime.timedelta(weekday - today.weekday())
    in_next_week = in_this_week + datetime.timedelta(7)
    coming = today + datetime.timedelta((weekday - today.weekday() - 1) % 7 + 1)
    lead, week = (parts.get("lead") or "").lower(), (parts.get("week") or "").lower()
    if week:
        return [in_next_week if week == "next" else in_this_week]
    if lead == "next":
        return [in_next_week, coming]
    return [coming, in_this_week] if in_this_week == today else [coming]


def _add_years(month: int, day: int, year: str | None, today: datetime.date | None) -> list[datetime.date]:
    """Complete a month and a day: with the given year, or with this and the next one, the future one first."""
    if year:
        return [datetime.date(int(year), month, day)]
    if today is None:
        return []
    this = datetime.date(today.year, month, day)
    following = datetime.date(today.year + 1, month, day)
    return [this, following] if this >= today else [following, this]


def _parse_day(text: str) -> int:
    return int(text) if text.isdigit() else parse_ordinal(text)
