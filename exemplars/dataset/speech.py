"""Speech views: rows as a speech recognizer would return them.

In lower case, without punctuation, with numbers as words, and sometimes with a filler at the beginning.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from typing import Final

import msgspec
from num2words import num2words

from exemplars.core.digests import hash_to_fraction, stamp_digest
from exemplars.core.ids import make_speech_id
from exemplars.core.records import Argument, Exemplar, Grounding, Speaker
from exemplars.core.turns import group_by_turn
from exemplars.dataset.templates import write_template

SPOKEN_COLUMNS: Final = ("id", "turn", "digest", "utterance", "exemplar", "arguments")
"""The columns in which a view differs from its row."""
FILLERS: Final = ("um", "uh", "well", "so", "okay")
_FILLED_SHARE: Final = 0.3
"""Share of the views that begin with a filler."""
_MAX_CARDINAL_DIGITS: Final = 6
"""A longer number is read digit by digit."""
_CURRENCIES: Final = {"$": ("dollar", "dollars"), "€": ("euro", "euros"), "£": ("pound", "pounds")}
_TOKEN: Final = re.compile(
    r"(?P<money>[$€£]\s?(?P<sum>\d[\d,]*(?:\.\d+)?))"
    r"|(?P<time>\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)\b)"
    r"|(?P<ordinal>\b(?P<nth>\d{1,4})(?:st|nd|rd|th)\b)"
    r"|(?P<number>\d[\d,]*(?:\.\d+)?)"
    r"|(?P<minus>(?<![\w.,)])[-−](?=\d))"
    r"|(?P<times>(?<=\d)\s?[*×](?=\s?\d))"
    r"|(?P<sharp>(?<=[^\W\d_])#)"
    r"|(?P<sign>[&%@+=])"
    r"|(?P<apostrophe>(?<=\w)['’](?=\w))"
    r"|(?P<mark>[^\w\s])",
    re.IGNORECASE,
)
_PLAIN: Final = re.compile(r"[A-Za-z ,.?!:;]*")
_PLAIN_MARKS: Final = str.maketrans(dict.fromkeys(",.?!:;", " "))
"""Most texts have letters and these marks alone, which divide words, and need not be searched for tokens."""
_SIGN_NAMES: Final = {"minus": "minus", "times": "times", "sharp": "sharp"}
"""How signs are read that mean something in some places only, by the group of `_TOKEN`."""
_SIGNS: Final = {"&": " and ", "%": " percent", "@": " at ", "+": " plus ", "=": " equals "}


def write_as_spoken(text: str) -> str:
    """Write a text as a speech recognizer would; a text of punctuation alone becomes empty.

    >>> write_as_spoken("Wake me at 7:30, for $5!")
    'wake me at seven thirty for five dollars'
    """
    is_plain = _PLAIN.fullmatch(text) is not None
    spoken = text.translate(_PLAIN_MARKS) if is_plain else _TOKEN.sub(_read_token, text)
    return " ".join(spoken.lower().replace("_", " ").split())


def make_speech_views(exemplars: Sequence[Exemplar]) -> list[Exemplar]:
    """Make the views of the rows, in their order.

    Rows whose view would be empty have none; nor have rows that follow a tool's result, which nobody speaks.
    """
    turns = group_by_turn(row for row in exemplars if row.speaker is Speaker.USER)
    views = {view.id: view for calls in turns.values() for view in make_turn_views(calls) if view.utterance}
    ids = (make_speech_id(exemplar.id) for exemplar in exemplars)
    return [views[view_id] for view_id in ids if view_id in views]


def make_turn_views(calls: Sequence[Exemplar]) -> list[Exemplar]:
    """Make the speech views of the calls of a turn: one utterance, all spans exact, all values unchanged.

    Each piece of text between the borders of spans is converted separately, so that a span keeps exactly its
    text. A span of punctuation alone stays as it is. The turn decides whether the views begin with a filler.
    """
    text = calls[0].utterance
    spans = {
        (argument.start, argument.end)
        for call in calls
        for argument in call.arguments
        if argument.start is not None and argument.end is not None
    }
    utterance = _draw_filler(calls[0].turn)
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    begun: dict[int, int] = defaultdict(int)
    for start, end in spans:
        begun[start] += 1
        begun[end] -= 1
    covering = 0
    for start, end in pairwise(sorted({0, len(text), *chain.from_iterable(spans)})):
        piece = text[start:end]
        covering += begun[start]
        spoken = write_as_spoken(piece) or (piece if covering else "")
        utterance = _append_text(utterance, spoken)
        starts[start], ends[end] = len(utterance) - len(spoken), len(utterance)
    return [_make_view(call, utterance, starts, ends) for call in calls]


def _make_view(
    exemplar: Exemplar, utterance: str, starts: Mapping[int, int], ends: Mapping[int, int]
) -> Exemplar:
    """Make the view of a call. starts, ends: the new offset of each border of a span, by the old one."""
    arguments = tuple(
        argument
        if argument.start is None or argument.end is None
        else _move_argument(argument, utterance, (starts[argument.start], ends[argument.end]))
        for argument in exemplar.arguments
    )
    view = msgspec.structs.replace(
        exemplar,
        id=make_speech_id(exemplar.id),
        turn=make_speech_id(exemplar.turn),
        utterance=utterance,
        exemplar=write_template(utterance, arguments),
        arguments=arguments,
    )
    return stamp_digest(view)


def _append_text(utterance: str, text: str) -> str:
    return " ".join(filter(None, (utterance, text)))


def _move_argument(argument: Argument, utterance: str, span: tuple[int, int]) -> Argument:
    surface = utterance[span[0] : span[1]]
    if surface == argument.value:
        grounding = Grounding.VERBATIM
    elif surface.casefold() == argument.value.casefold():
        grounding = Grounding.CASE
    elif argument.grounding is Grounding.RECOGNIZED:
        grounding = Grounding.RECOGNIZED
    else:
        grounding = Grounding.NORMALIZED
    return Argument(argument.slot, argument.value, surface, *span, grounding, argument.accepted)


def _draw_filler(turn: str) -> str:
    fraction = hash_to_fraction(turn, "filler")
    return FILLERS[int(fraction / _FILLED_SHARE * len(FILLERS))] if fraction < _FILLED_SHARE else ""


def _read_token(match: re.Match[str]) -> str:
    """Return how a match of `_TOKEN` is read aloud."""
    if match["money"]:
        singular, plural = _CURRENCIES[match["money"][0]]
        return f" {_read_number(match['sum'])} {singular if match['sum'] == '1' else plural} "
    if match["time"]:
        return f" {_read_time(int(match['hour']), match['minute'])} "
    if match["ordinal"]:
        return f" {_read_integer(int(match['nth']), to='ordinal')} "
    if match["number"]:
        return f" {_read_number(match['number'])} "
    if match["sign"]:
        return _SIGNS[match["sign"]]
    if (name := match.lastgroup) in _SIGN_NAMES:
        return f" {_SIGN_NAMES[name]} "
    if match["mark"] and unicodedata.category(match["mark"])[0] == "M":  # A vowel or accent of its letter.
        return match["mark"]
    return match["apostrophe"] or " "


def _read_time(hour: int, minute: str) -> str:
    if minute == "00":
        return f"{_read_integer(hour)} o'clock" if 1 <= hour <= 12 else f"{_read_integer(hour)} hundred"
    return f"{_read_integer(hour)} {'oh ' if minute[0] == '0' else ''}{_read_integer(int(minute))}"


def _read_number(text: str) -> str:
    whole, point, fraction = text.replace(",", "").partition(".")
    has_leading_zero = len(whole) > 1 and whole[0] == "0"
    if not whole.isascii() or len(whole) > _MAX_CARDINAL_DIGITS or has_leading_zero:
        words = _read_digits(whole)
    else:
        words = _read_integer(int(whole))
    return f"{words} point {_read_digits(fraction)}" if point else words


def _read_digits(digits: str) -> str:
    return " ".join(_read_integer(int(digit)) for digit in digits)


@functools.lru_cache(maxsize=4096)
def _read_integer(number: int, to: str = "cardinal") -> str:
    return str(num2words(number, to=to)).replace("-", " ").replace(",", "")
