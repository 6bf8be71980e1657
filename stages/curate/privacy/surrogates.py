"""Surrogates: what stands in the place of personal data, of the same form, and of nobody.

Everything comes from a keyed hash (HMAC-SHA-256), so that the same text in the same group has the same
surrogate, and nobody without the key can try names until one fits. Numbers are taken from ranges that
belong to nobody: addresses of RFC 5737 and RFC 3849, names of RFC 2606, social security numbers that
begin with 9, telephone numbers with 555-01.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from exemplars.core.digests import hash_row
from exemplars.core.records import Argument, Exemplar, Turn
from exemplars.dataset.templates import write_template
from stages.curate.lexicons import Names
from stages.curate.privacy.findings import Finder, Finding, Kind

_STREETS: Final = (
    "Alder",
    "Birch",
    "Cedar",
    "Elder",
    "Hazel",
    "Juniper",
    "Larch",
    "Linden",
    "Maple",
    "Rowan",
)
_FAMILIES: Final = (
    "Abara", "Bergman", "Castell", "Dalgaard", "Eriksen", "Fairley", "Greer", "Halloran", "Iversen",
    "Jellinek", "Kovacs", "Lindqvist", "Marchetti", "Novak", "Okonjo", "Petrov", "Quill", "Rasmussen",
    "Sorensen", "Tanaka", "Umarov", "Vasquez", "Winther", "Yamada",
)  # fmt: skip


class Replacement(NamedTuple):
    """A text that stands in the place of `utterance[start:end]`; code points, end exclusive."""

    start: int
    end: int
    text: str


class _Stream:
    """Numbers that depend on a key, a group and a text alone."""

    def __init__(self, key: bytes, group: str, text: str) -> None:
        self._seed = hmac.new(key, f"{group}\x00{text}".encode(), hashlib.sha256).digest()
        self._count = 0

    def below(self, bound: int) -> int:
        """The next number in [0, bound)."""
        block = hmac.new(self._seed, self._count.to_bytes(4, "big"), hashlib.sha256).digest()
        self._count += 1
        return int.from_bytes(block[:8], "big") % bound

    def digits(self, text: str, fixed: int = 0) -> str:
        """The text with every digit after the first `fixed` ones replaced."""
        seen, letters = 0, []
        for letter in text:
            if letter.isdigit():
                seen += 1
                letter = letter if seen <= fixed else str(self.below(10))
            letters.append(letter)
        return "".join(letters)


def surrogate(text: str, kind: Kind, names: Names, key: bytes, group: str) -> str:
    """What stands in the place of personal data: of the same kind and form, and another text."""
    stream = _Stream(key, group, text.casefold())
    for _ in range(16):
        made = _made(text, kind, names, stream)
        if made.casefold() != text.casefold():
            return made
    return f"[{kind}]"


def _made(text: str, kind: Kind, names: Names, stream: _Stream) -> str:
    match kind:
        case Kind.EMAIL:
            first = (*names.female, *names.male)[stream.below(len(names.female) + len(names.male))]
            return f"{first.lower()}.{stream.below(10_000):04}@example.org"
        case Kind.PHONE:
            return _with_last_digits(stream.digits(text, 1), f"55501{stream.below(100):02}")
        case Kind.CARD:
            return _with_luhn(stream.digits(text, 1))
        case Kind.IBAN:
            return _with_check_digits(stream.digits(text))
        case Kind.SSN:
            return "9" + stream.digits(text)[1:]
        case Kind.IP:
            last = stream.below(254) + 1
            return f"2001:db8::{last:x}" if ":" in text else f"192.0.2.{last}"
        case Kind.ADDRESS:
            return f"{stream.below(900) + 100} {_STREETS[stream.below(len(_STREETS))]} Street"
        case Kind.PERSON:
            words = text.split()
            first_names = names.female + names.male
            first = first_names[stream.below(len(first_names))]
            others = [_FAMILIES[stream.below(len(_FAMILIES))] for _ in words[1:]]
            return " ".join([first, *others])


def _with_last_digits(text: str, digits: str) -> str:
    """The text with its last digits replaced, as many as it has."""
    letters, left = list(text), list(digits)
    for place in range(len(letters) - 1, -1, -1):
        if letters[place].isdigit() and left:
            letters[place] = left.pop()
    return "".join(letters)


def _with_luhn(text: str) -> str:
    """The text with its last digit set so that all of them pass Luhn's check (ISO/IEC 7812-1)."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    total = sum(
        digit if place % 2 else sum(divmod(digit * 2, 10))
        for place, digit in enumerate(reversed(digits[:-1]))
    )
    return _with_last_digits(text, str(-total % 10))


def _with_check_digits(text: str) -> str:
    """An IBAN with the check digits that its other characters need (ISO 13616: 97 in mod 97)."""
    plain = "".join(letter for letter in text.upper() if letter.isalnum())
    rest = "".join(str(int(letter, 36)) for letter in plain[4:] + plain[:2] + "00")
    check = f"{98 - int(rest) % 97:02}"
    letters, left = list(text), list(check)
    for place, letter in enumerate(letters):
        if letter.isdigit() and left:
            letters[place] = left.pop(0)
    return "".join(letters)


def replaced(text: str, mapping: dict[str, str]) -> tuple[str, list[Replacement]]:
    """The text with every mapped text in it replaced, the longest first, on word boundaries."""
    places: list[Replacement] = []
    for old in sorted(mapping, key=lambda one: (-len(one), one)):
        start = text.find(old)
        while start >= 0:
            end = start + len(old)
            apart = all(end <= other.start or other.end <= start for other in places)
            whole = not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum()
            if apart and whole:
                places.append(Replacement(start, end, mapping[old]))
            start = text.find(old, end)
    places.sort()
    parts, position = [], 0
    for one in places:
        parts += [text[position : one.start], one.text]
        position = one.end
    return "".join([*parts, text[position:]]), places


def with_surrogates(exemplar: Exemplar, mapping: dict[str, str]) -> Exemplar:
    """The row with every mapped text replaced: utterance, exemplar, context, values and spans together.

    A text that only overlaps an argument's span stays there, for a label is not torn; all spans stay exact.
    """
    inside = _without_torn_labels(exemplar, mapping)
    utterance, places = replaced(exemplar.utterance, inside)
    context = tuple(Turn(turn.speaker, replaced(turn.utterance, mapping)[0]) for turn in exemplar.context)
    arguments = tuple(_moved(one, utterance, places, mapping) for one in exemplar.arguments)
    return msgspec.structs.replace(
        exemplar,
        utterance=utterance,
        exemplar=write_template(utterance, arguments),
        context=context,
        arguments=arguments,
        digest=hash_row(utterance, context, exemplar.skill, exemplar.mode, arguments),
    )


def _without_torn_labels(exemplar: Exemplar, mapping: dict[str, str]) -> dict[str, str]:
    places = replaced(exemplar.utterance, mapping)[1]
    torn = {
        exemplar.utterance[place.start : place.end]
        for place in places
        for one in exemplar.arguments
        if one.start is not None and one.end is not None
        and place.start < one.end and one.start < place.end
        and not (one.start <= place.start and place.end <= one.end)
    }  # fmt: skip
    return {old: new for old, new in mapping.items() if old not in torn}


def _moved(
    argument: Argument, utterance: str, places: Sequence[Replacement], mapping: dict[str, str]
) -> Argument:
    value = replaced(argument.value, mapping)[0]
    if argument.start is None or argument.end is None:
        return msgspec.structs.replace(argument, value=value)
    start = argument.start + sum(len(p.text) - p.end + p.start for p in places if p.end <= argument.start)
    end = argument.end + sum(len(p.text) - p.end + p.start for p in places if p.end <= argument.end)
    return msgspec.structs.replace(argument, value=value, start=start, end=end, surface=utterance[start:end])


def unlabelled(exemplar: Exemplar, findings: Iterable[Finding]) -> list[Finding]:
    """The findings in an utterance that no argument labels: leaks of personal data."""
    spans = [
        (one.start, one.end) for one in exemplar.arguments if one.start is not None and one.end is not None
    ]
    return [one for one in findings if not any(start < one.end and one.start < end for start, end in spans)]


def group_surrogates(
    rows: Iterable[tuple[Exemplar, Sequence[Finding]]], find: Finder, names: Names, key: bytes
) -> dict[str, dict[str, str]]:
    """For each group, the personal data of its rows that nobody labelled, with its surrogates.

    rows: each with the unlabelled findings of its utterance. What a turn before says counts too, unless
    an argument of the row has it as its value.
    """
    kinds: dict[str, dict[str, Kind]] = {}
    for one, found in rows:
        known = kinds.setdefault(one.group, {})
        for finding in found:
            known.setdefault(one.utterance[finding.start : finding.end], finding.kind)
        values = {argument.value for argument in one.arguments} | {
            argument.surface for argument in one.arguments
        }
        for turn in one.context:
            for finding in find(turn.utterance):
                text = turn.utterance[finding.start : finding.end]
                if text not in values:
                    known.setdefault(text, finding.kind)
    return {
        group: {text: surrogate(text, kind, names, key, group) for text, kind in sorted(known.items())}
        for group, known in kinds.items()
        if known
    }
