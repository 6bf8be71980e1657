"""Dates, absolute or relative to a given day."""

from __future__ import annotations

import calendar
import contextlib
import datetime
import functools
import re
from typing import Final

from exemplars.dataset.expressions.mentions import Mention, keep_longest
from exemplars.dataset.expressions.numbers import ORDINAL_WORDS, UNITS, parse_number, parse_ordinal
from exemplars.dataset.expressions.white_space import read_single_spaces

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
_ANY_MONTH: Final = tuple(sorted({name[:3] for name in _MONTHS}))
_ANY_WEEKDAY: Final = tuple(sorted({name[:3] for name in _WEEKDAYS}))
_DAY: Final = rf"\d{{1,2}}(?:st|nd|rd|th)?|{ORDINAL_WORDS}"
_NTH: Final = rf"\d{{1,2}}(?:st|nd|rd|th)|{ORDINAL_WORDS}"
_YEAR: Final = r"(?:,?\s+(?P<year>(?:19|20)\d\d))?"
_COUNT: Final = rf"\d{{1,3}}|an?|{'|'.join(UNITS)}"
_RULES: Final = tuple(
    (parts, re.compile(rf"(?<![\w/])(?<!\d[-.,])(?:{pattern})(?![\w/])(?!-\d)", re.IGNORECASE))
    for parts, pattern in (
        (("-",), r"(?P<iso>(?:19|20)\d\d-\d\d-\d\d)"),
        (("/",), r"(?P<slash>\d{1,2}/\d{1,2}(?:/(?:19|20)?\d\d)?)"),
        ((".19", ".20"), r"(?P<dotted>\d{1,2}\.\d{1,2}\.(?:19|20)\d\d)"),
        (_ANY_MONTH, rf"(?P<month>{_MONTH})\.?\s+(?:the\s+)?(?P<day>{_DAY}){_YEAR}"),
        (_ANY_MONTH, rf"(?P<day>{_DAY})\s+(?:day\s+)?(?:of\s+)?(?P<month>{_MONTH})\b{_YEAR}"),
        (("month",), rf"(?P<day>{_NTH})\s+(?:day\s+)?of\s+(?P<which>this|next|the)\s+month"),
        (("the",), rf"the\s+(?P<day>{_NTH})"),
        (
            _ANY_WEEKDAY,
            rf"(?:(?P<lead>this\s+coming|this|next|coming|upcoming)\s+)?(?P<weekday>{_WEEKDAY})"
            r"(?:\s+(?:of\s+)?(?P<week>this|next)\s+week)?",
        ),
        (("week",), rf"(?P<weekday>{_WEEKDAY})\s+(?P<later>week)"),
        (("week",), rf"(?P<later>{_COUNT})\s+weeks?\s+(?:from|after|on)\s+(?P<weekday>{_WEEKDAY})"),
        (("weekend",), r"(?P<weekend>this|next|the|coming)\s+weekend"),
        (
            ("today", "tonight", "tomorrow", "yesterday"),
            r"(?P<named>day\s+after\s+tomorrow|later\s+today|today|tonight|tomorrow|yesterday)",
        ),
        (("day", "week"), rf"in\s+(?P<count>{_COUNT})\s+(?P<unit>days?|weeks?)"),
        (("day", "week"), rf"(?P<count>{_COUNT})\s+(?P<unit>days?|weeks?)\s+from\s+(?:now|today)"),
    )
)
"""Each rule with the parts of which it needs at least one: looking for them first takes a fraction of the time."""
_NAMED: Final = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}


@functools.lru_cache(maxsize=1024)
@read_single_spaces
def find_dates(text: str, today: datetime.date | None) -> tuple[Mention[datetime.date], ...]:
    """Find the dates in a text.

    today: what relative dates and dates without a year refer to; `None`: these are not found.
    Readings, in order: for a date without a year, this year and next year, the future one first; for 3/4, month
    and day, then day and month; for "next Friday", the Friday of the week after this one and the coming Friday;
    for a weekday alone, the coming one; for a weekend, its Saturday and its Sunday.

    >>> find_dates("on March 5th", datetime.date(2019, 3, 1))[0].readings[0]
    datetime.date(2019, 3, 5)
    """
    dates: list[Mention[datetime.date]] = []
    lowered = text.lower()
    for parts, rule in _RULES:
        for match in rule.finditer(text) if any(map(lowered.__contains__, parts)) else ():
            readings = tuple(dict.fromkeys(_list_readings(match.groupdict(), today)))
            if readings:
                dates.append(Mention(match.start(), match.end(), readings))
    return keep_longest(dates)


def _list_readings(parts: dict[str, str | None], today: datetime.date | None) -> list[datetime.date]:
    try:
        if iso := parts.get("iso"):
            return [datetime.date.fromisoformat(iso)]
        if slash := parts.get("slash"):
            return _list_slash_readings(slash, today)
        if dotted := parts.get("dotted"):
            day, month, year = map(int, dotted.split("."))
            return [datetime.date(year, month, day)]
        if month_name := parts.get("month"):
            return _add_years(
                _MONTHS[month_name.lower()], _parse_day(str(parts["day"])), parts.get("year"), today
            )
        return [] if today is None else _resolve_relative(parts, today)
    except (ValueError, OverflowError):  # There is no such day: February 30th.
        return []


def _list_slash_readings(slash: str, today: datetime.date | None) -> list[datetime.date]:
    first, second, *rest = map(int, slash.split("/"))
    year = str(rest[0] + 2000 * (rest[0] < 100)) if rest else None
    readings = []
    for month, day in ((first, second), (second, first)):
        with contextlib.suppress(ValueError):
            readings += _add_years(month, day, year, today)
    return readings


def _resolve_relative(parts: dict[str, str | None], today: datetime.date) -> list[datetime.date]:
    if weekday := parts.get("weekday"):
        days = _resolve_weekday(_WEEKDAYS[weekday.lower()], parts, today)
        weeks = _count_weeks(parts.get("later"))
        return [day + datetime.timedelta(7 * weeks) for day in (days[:1] if weeks else days)]
    if weekend := parts.get("weekend"):
        saturday = today + datetime.timedelta((5 - today.weekday()) % 7 + 7 * (weekend.lower() == "next"))
        return [saturday, saturday + datetime.timedelta(1)]
    if named := parts.get("named"):
        words = named.lower().split()
        return [today + datetime.timedelta(2 if "after" in words else _NAMED[words[-1]])]
    if count := parts.get("count"):
        unit = 7 if str(parts["unit"]).lower().startswith("week") else 1
        return [today + datetime.timedelta(_parse_count(count) * unit)]
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
    dates = []
    for candidate in (today.year, today.year + 1):
        with contextlib.suppress(ValueError):  # Not every year has February 29th.
            dates.append(datetime.date(candidate, month, day))
    return sorted(dates, key=lambda date: (date < today, date))


def _parse_count(text: str) -> int:
    return 1 if text.lower() in ("a", "an") else int(parse_number(text))


def _count_weeks(later: str | None) -> int:
    """Return how many weeks after the coming weekday: "Friday week", "two weeks from Friday"."""
    if not later:
        return 0
    return 1 if later.lower() == "week" else _parse_count(later)


def _parse_day(text: str) -> int:
    return int(text) if text.isdigit() else parse_ordinal(text)
