"""An utterance as a speech recognizer would hand it over: lower case, no punctuation, numbers as words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec
from num2words import num2words

from exemplars.core.digests import hash_row, stable_fraction
from exemplars.core.records import Argument, Exemplar, Grounding
from exemplars.dataset.templates import write_template

SUFFIX: Final = "~speech"
"""What the id of a view ends in."""
FILLERS: Final = ("um", "uh", "well", "so", "okay")
_FILLED: Final = 0.3
"""The share of views that begin with a filler."""
_LONGEST_NUMBER: Final = 6
"""Digits; longer numbers are read digit by digit."""
_CURRENCIES: Final = {"$": ("dollar", "dollars"), "€": ("euro", "euros"), "£": ("pound", "pounds")}
_TOKEN: Final = re.compile(
    r"(?P<money>[$€£]\s?(?P<sum>\d[\d,]*(?:\.\d+)?))"
    r"|(?P<time>\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)\b)"
    r"|(?P<ordinal>\b(?P<nth>\d{1,4})(?:st|nd|rd|th)\b)"
    r"|(?P<number>\d[\d,]*(?:\.\d+)?)"
    r"|(?P<sign>[&%@+=])"
    r"|(?P<apostrophe>(?<=\w)['’](?=\w))"
    r"|(?P<mark>[^\w\s])",
    re.IGNORECASE,
)
_SIGNS: Final = {"&": " and ", "%": " percent", "@": " at ", "+": " plus ", "=": " equals "}


def spoken(text: str) -> str:
    """The text as it would be written down by a recognizer; empty where only marks stand."""
    return " ".join(_TOKEN.sub(_said, text).lower().replace("_", " ").split())


def speech_view(exemplar: Exemplar) -> Exemplar:
    """The row as a recognizer would hand it over, with all spans exact; its values stay.

    Every text between the ends of spans is spoken on its own, so that each span keeps its text and no
    other. A span of marks alone stays as it is. Whether it begins with a filler depends on its id.
    """
    located = sorted(
        (one.start, one.end, number)
        for number, one in enumerate(exemplar.arguments)
        if one.start is not None and one.end is not None
    )
    parts = [_filler(exemplar.id)]
    spans: dict[int, tuple[int, int]] = {}
    position = 0
    for start, end, number in located:
        parts.append(spoken(exemplar.utterance[position:start]))
        before = " ".join(filter(None, parts))
        surface = spoken(exemplar.utterance[start:end]) or exemplar.utterance[start:end]
        begin = len(before) + 1 if before else 0
        spans[number] = (begin, begin + len(surface))
        parts = [before, surface]
        position = end
    utterance = " ".join(filter(None, [*parts, spoken(exemplar.utterance[position:])]))
    arguments = tuple(
        _carried(one, utterance, spans.get(number)) for number, one in enumerate(exemplar.arguments)
    )
    return msgspec.structs.replace(
        exemplar,
        id=exemplar.id + SUFFIX,
        utterance=utterance,
        exemplar=write_template(utterance, arguments),
        arguments=arguments,
        digest=hash_row(utterance, exemplar.context, exemplar.skill, exemplar.mode, arguments),
    )


def speech_views(exemplars: Sequence[Exemplar]) -> list[Exemplar]:
    """The views of all rows that say anything, in their order."""
    views = (speech_view(one) for one in exemplars)
    return [view for view in views if view.utterance]


def _carried(argument: Argument, utterance: str, span: tuple[int, int] | None) -> Argument:
    if span is None:
        return argument
    surface = utterance[span[0] : span[1]]
    if surface == argument.value:
        grounding = Grounding.VERBATIM
    elif surface.casefold() == argument.value.casefold():
        grounding = Grounding.CASE
    else:
        known = argument.grounding is Grounding.RECOGNIZED
        grounding = Grounding.RECOGNIZED if known else Grounding.NORMALIZED
    return Argument(argument.slot, argument.value, surface, *span, grounding)


def _filler(row_id: str) -> str:
    fraction = stable_fraction(row_id, "filler")
    return FILLERS[int(fraction / _FILLED * len(FILLERS))] if fraction < _FILLED else ""


def _said(match: re.Match[str]) -> str:
    if match["money"]:
        one, many = _CURRENCIES[match["money"][0]]
        return f" {_number(match['sum'])} {one if match['sum'] == '1' else many} "
    if match["time"]:
        return f" {_time(int(match['hour']), match['minute'])} "
    if match["ordinal"]:
        return f" {_words(int(match['nth']), to='ordinal')} "
    if match["number"]:
        return f" {_number(match['number'])} "
    if match["sign"]:
        return _SIGNS[match["sign"]]
    return match["apostrophe"] or " "


def _time(hour: int, minute: str) -> str:
    if minute == "00":
        return f"{_words(hour)} o'clock" if 1 <= hour <= 12 else f"{_words(hour)} hundred"
    return f"{_words(hour)} {'oh ' if minute[0] == '0' else ''}{_words(int(minute))}"


def _number(text: str) -> str:
    whole, point, fraction = text.replace(",", "").partition(".")
    if not whole.isascii() or len(whole) > _LONGEST_NUMBER or (len(whole) > 1 and whole[0] == "0"):
        said = " ".join(_words(int(digit)) for digit in whole)
    else:
        said = _words(int(whole))
    return said + (" point " + " ".join(_words(int(digit)) for digit in fraction) if point else "")


def _words(number: int, to: str = "cardinal") -> str:
    return str(num2words(number, to=to)).replace("-", " ").replace(",", "")
