"""Surrogates: replacements for personal data that have the same form and belong to nobody.

They are drawn by a keyed hash (HMAC-SHA-256): the same text in the same group has the same surrogate, and
nobody without the key can try names until a surrogate matches. Numbers come from ranges that belong to
nobody: IP addresses of RFC 5737 and RFC 3849, domains of RFC 2606, social security numbers that begin with 9,
telephone numbers with 555-01.
"""

from __future__ import annotations

import hashlib
import hmac
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import regex

from exemplars.core.digests import hash_row
from exemplars.core.records import Argument, Exemplar, Turn
from exemplars.dataset.templates import write_template
from stages.curate.lexicons import NameLexicon
from stages.curate.privacy.findings import Finder, Finding, PersonalDataKind
from stages.curate.privacy.names import (
    FREQUENT_WORD,
    count_in_dictionary,
    fold_name,
    is_particle,
    is_suffix,
)

_MAX_TRIES: Final = 16
_LONGER_BEFORE: Final = regex.compile(r"\p{M}\Z|[\p{L}\p{M}]['’ʼ‐‑-]\Z")
_LONGER_AFTER: Final = regex.compile(r"\p{M}|['’ʼ‐‑-](?![sS](?!\p{L}))\p{L}")
_STREET_NAMES: Final = (
    "Alder", "Birch", "Cedar", "Elder", "Hazel", "Juniper", "Larch", "Linden", "Maple", "Rowan",
)  # fmt: skip
_FAMILY_NAMES: Final = (
    "Abara", "Bergman", "Castell", "Dalgaard", "Eriksen", "Fairley", "Greer", "Halloran", "Iversen",
    "Jellinek", "Kovacs", "Lindqvist", "Marchetti", "Novak", "Okonjo", "Petrov", "Quill", "Rasmussen",
    "Sorensen", "Tanaka", "Umarov", "Vasquez", "Winther", "Yamada",
)  # fmt: skip


class Replacement(NamedTuple):
    """A text that replaces `utterance[start:end]`; offsets are code points, the end is exclusive."""

    start: int
    end: int
    text: str


class _KeyedNumbers:
    """Pseudorandom numbers that depend on nothing but a key, a group and a text."""

    def __init__(self, key: bytes, group: str, text: str) -> None:
        self._seed = hmac.new(key, f"{group}\x00{text}".encode(), hashlib.sha256).digest()
        self._count = 0

    def draw(self, bound: int) -> int:
        """Draw the next number in [0, bound)."""
        block = hmac.new(self._seed, self._count.to_bytes(4, "big"), hashlib.sha256).digest()
        self._count += 1
        return int.from_bytes(block[:8], "big") % bound

    def choose(self, names: Sequence[str]) -> str:
        """Choose one of some names."""
        return names[self.draw(len(names))]

    def replace_digits(self, text: str, fixed: int = 0) -> str:
        """Replace every digit of a text except for the first `fixed` ones."""
        seen, letters = 0, []
        for letter in text:
            if letter.isdigit():
                seen += 1
                letter = letter if seen <= fixed else str(self.draw(10))
            letters.append(letter)
        return "".join(letters)


def make_surrogate(text: str, kind: PersonalDataKind, names: NameLexicon, key: bytes, group: str) -> str:
    """Make a different text of the same kind and form; the same one for the same text, key and group."""
    numbers = _KeyedNumbers(key, group, text.casefold())
    for _ in range(_MAX_TRIES):
        candidate = _draw_surrogate(text, kind, names, numbers)
        if candidate.casefold() != text.casefold():
            return candidate
    return f"[{kind}]"


def _draw_surrogate(text: str, kind: PersonalDataKind, names: NameLexicon, numbers: _KeyedNumbers) -> str:
    first_names = names.female + names.male
    match kind:
        case PersonalDataKind.EMAIL:
            return f"{numbers.choose(first_names).lower()}.{numbers.draw(10_000):04}@example.org"
        case PersonalDataKind.PHONE:
            return _set_last_digits(numbers.replace_digits(text, 1), f"55501{numbers.draw(100):02}")
        case PersonalDataKind.CARD:
            return _set_luhn_digit(numbers.replace_digits(text, 1))
        case PersonalDataKind.IBAN:
            return _set_iban_check_digits(numbers.replace_digits(text))
        case PersonalDataKind.SSN:
            return "9" + numbers.replace_digits(text)[1:]
        case PersonalDataKind.IP:
            host = numbers.draw(254) + 1
            return f"2001:db8::{host:x}" if ":" in text else f"192.0.2.{host}"
        case PersonalDataKind.ADDRESS:
            return f"{numbers.draw(900) + 100} {numbers.choose(_STREET_NAMES)} Street"
        case PersonalDataKind.PERSON:
            return _draw_name(text, first_names, numbers)


def _draw_name(text: str, first_names: Sequence[str], numbers: _KeyedNumbers) -> str:
    """Draw a whole name: a first name, and a family name for each further word that is a name; in the same case."""
    names = [numbers.choose(first_names)]
    for word in text.split()[1:]:
        if is_particle(word) or is_suffix(word):
            continue
        is_initial = len(word.rstrip(".")) == 1
        names.append(f"{chr(ord('A') + numbers.draw(26))}." if is_initial else numbers.choose(_FAMILY_NAMES))
    name = " ".join(names)
    if text.islower():
        return name.lower()
    return name.upper() if text.isupper() and len(text) > 1 else name


def _set_last_digits(text: str, digits: str) -> str:
    """Replace the last digits of a text, as many as it has."""
    letters, remaining = list(text), list(digits)
    for index in range(len(letters) - 1, -1, -1):
        if letters[index].isdigit() and remaining:
            letters[index] = remaining.pop()
    return "".join(letters)


def _set_luhn_digit(text: str) -> str:
    """Set the last digit of a card number so that it passes Luhn's check (ISO/IEC 7812-1)."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    total = sum(
        digit if index % 2 else sum(divmod(digit * 2, 10))
        for index, digit in enumerate(reversed(digits[:-1]))
    )
    return _set_last_digits(text, str(-total % 10))


def _set_iban_check_digits(text: str) -> str:
    """Set the check digits of an IBAN, its first two digits (ISO 13616: modulo 97)."""
    plain = "".join(letter for letter in text.upper() if letter.isalnum())
    number = "".join(str(int(letter, 36)) for letter in plain[4:] + plain[:2] + "00")
    remaining = list(f"{98 - int(number) % 97:02}")
    letters = list(text)
    for index, letter in enumerate(letters):
        if letter.isdigit() and remaining:
            letters[index] = remaining.pop(0)
    return "".join(letters)


def replace_texts(text: str, surrogates: Mapping[str, str]) -> tuple[str, list[Replacement]]:
    """Replace every text that has a surrogate, as whole words, the longest first.

    A part of a word with hyphens or an apostrophe is no whole word: "Jean" is not replaced in "Jean-Luc". Returns the
    new text, and the replacements with their offsets in the old text.

    >>> replace_texts("call Ann or Anna", {"Ann": "Eve"})
    ('call Eve or Anna', [Replacement(start=5, end=8, text='Eve')])
    """
    replacements: list[Replacement] = []  # Sorted, and without overlaps.
    for old in sorted(surrogates, key=lambda name: (-len(name), name)):
        start = text.find(old)
        while start >= 0:
            end = start + len(old)
            index = bisect_left(replacements, (start,))
            is_free = (index == 0 or replacements[index - 1].end <= start) and (
                index == len(replacements) or end <= replacements[index].start
            )
            if is_free and is_whole_word(text, start, end):
                replacements.insert(index, Replacement(start, end, surrogates[old]))
            start = text.find(old, end)
    parts, position = [], 0
    for replacement in replacements:
        parts += [text[position : replacement.start], replacement.text]
        position = replacement.end
    return "".join([*parts, text[position:]]), replacements


def is_whole_word(text: str, start: int, end: int) -> bool:
    """Check whether `text[start:end]` is no part of a longer word. An ending "'s" is none.

    >>> is_whole_word("Jean-Luc", 0, 4), is_whole_word("Jean's", 0, 4)
    (False, True)
    """
    if text[start - 1 : start].isalnum() or text[end : end + 1].isalnum():
        return False
    if any(letter.isdigit() or letter == "@" for letter in text[start:end]):
        return True  # A number or an address, not a name: "tel-415-286-4371".
    return not (_LONGER_BEFORE.search(text[max(start - 3, 0) : start]) or _LONGER_AFTER.match(text, end))


def apply_surrogates(exemplar: Exemplar, surrogates: Mapping[str, str]) -> Exemplar:
    """Replace texts in the utterance, the template, the context, the values and the spans of a row.

    All spans stay exact. A text that crosses the border of an argument's span is not replaced in the
    utterance, because the label would be torn.
    """
    utterance, replacements = replace_texts(exemplar.utterance, _keep_crossing(exemplar, surrogates))
    context = tuple(
        Turn(turn.speaker, replace_texts(turn.utterance, surrogates)[0]) for turn in exemplar.context
    )
    arguments = tuple(
        _move_argument(argument, utterance, replacements, surrogates) for argument in exemplar.arguments
    )
    return msgspec.structs.replace(
        exemplar,
        utterance=utterance,
        exemplar=write_template(utterance, arguments),
        context=context,
        arguments=arguments,
        digest=hash_row(utterance, context, exemplar.skill, exemplar.mode, arguments),
    )


def _keep_crossing(exemplar: Exemplar, surrogates: Mapping[str, str]) -> dict[str, str]:
    """Return the surrogates, with each text that crosses the border of an argument's span as its own.

    It stays as a whole: a shorter text that has a surrogate is not replaced within it.
    """
    crossing = {
        exemplar.utterance[replacement.start : replacement.end]
        for replacement in replace_texts(exemplar.utterance, surrogates)[1]
        for start, end in _list_spans(exemplar)
        if replacement.start < end and start < replacement.end
        and not (start <= replacement.start and replacement.end <= end)
    }  # fmt: skip
    return {old: old if old in crossing else new for old, new in surrogates.items()}


def _list_spans(exemplar: Exemplar) -> list[tuple[int, int]]:
    return [
        (argument.start, argument.end)
        for argument in exemplar.arguments
        if argument.start is not None and argument.end is not None
    ]


def _move_argument(
    argument: Argument, utterance: str, replacements: Sequence[Replacement], surrogates: Mapping[str, str]
) -> Argument:
    """Return the argument with its value replaced, and its span in the new utterance."""
    value = replace_texts(argument.value, surrogates)[0]
    if argument.start is None or argument.end is None:
        return msgspec.structs.replace(argument, value=value)
    start = _move_offset(argument.start, replacements)
    end = _move_offset(argument.end, replacements)
    return msgspec.structs.replace(argument, value=value, start=start, end=end, surface=utterance[start:end])


def _move_offset(offset: int, replacements: Sequence[Replacement]) -> int:
    return offset + sum(
        len(replacement.text) - (replacement.end - replacement.start)
        for replacement in replacements
        if replacement.end <= offset
    )


def find_unlabeled(exemplar: Exemplar, findings: Iterable[Finding]) -> list[Finding]:
    """Find the personal data in an utterance that overlaps no argument.

    findings: in the utterance of `exemplar`.
    """
    spans = _list_spans(exemplar)
    return [
        finding
        for finding in findings
        if not any(start < finding.end and finding.start < end for start, end in spans)
    ]


def assign_surrogates(
    rows: Iterable[tuple[Exemplar, Sequence[Finding]]], find: Finder, names: NameLexicon, key: bytes
) -> dict[str, dict[str, str]]:
    """Assign surrogates to the unlabeled personal data of each group: for each group, the new text by the old.

    rows: each with the unlabeled findings in its utterance. Personal data in the context counts, too, unless
    it is the value of an argument of the row. A name is replaced as a whole wherever the group has it: where an
    argument labels "Mary Smith" and another text has "Mary", both change; and so does a "Smith" alone.
    """
    kinds: dict[str, dict[str, PersonalDataKind]] = {}
    texts: dict[str, dict[str, None]] = {}
    for row, findings in rows:
        group_kinds = kinds.setdefault(row.group, {})
        turns = [turn.utterance for turn in row.context]
        texts.setdefault(row.group, {}).update(dict.fromkeys((row.utterance, *turns)))
        for finding in findings:
            group_kinds.setdefault(row.utterance[finding.start : finding.end], finding.kind)
        labeled = {text for argument in row.arguments for text in (argument.value, argument.surface)}
        for turn in turns:
            for finding in find(turn):
                text = turn[finding.start : finding.end]
                if text not in labeled:
                    group_kinds.setdefault(text, finding.kind)
    return {
        group: _make_group_surrogates(group, group_kinds, texts[group], find, names, key)
        for group, group_kinds in kinds.items()
        if group_kinds
    }


def _make_group_surrogates(
    group: str,
    kinds: Mapping[str, PersonalDataKind],
    texts: Iterable[str],
    find: Finder,
    names: NameLexicon,
    key: bytes,
) -> dict[str, str]:
    """Make the surrogates of the personal data of a group, and of all names that share a part with it."""
    persons = {text for text, kind in kinds.items() if kind is PersonalDataKind.PERSON}
    persons = _complete_names(persons, texts, find) if persons else persons
    kinds = {**kinds, **dict.fromkeys(persons, PersonalDataKind.PERSON)}
    surrogates = {text: make_surrogate(text, kind, names, key, group) for text, kind in sorted(kinds.items())}
    for name in sorted(persons):
        parts, new_parts = name.partition(" "), surrogates[name].partition(" ")
        surrogates.update(
            (part, new_part)
            for part, new_part in zip(parts[::2], new_parts[::2], strict=True)
            if part in persons and part != name and new_part
        )
    return surrogates


def _complete_names(persons: Iterable[str], texts: Iterable[str], find: Finder) -> set[str]:
    """Add the names of the texts that contain one of the names, and the family names that a text has alone."""
    seen = {
        text[finding.start : finding.end]
        for text in texts
        for finding in find(text)
        if finding.kind is PersonalDataKind.PERSON
    }
    complete = set(persons)
    while True:
        longer = {name for name in seen - complete if replace_texts(name, dict.fromkeys(complete, ""))[1]}
        families = {name.partition(" ")[2] for name in complete | longer} - complete - {""}
        alone = {family for family in families if _is_alone(family, seen | complete, texts)}
        if not longer | alone:
            return complete
        complete |= longer | alone


def _is_alone(family: str, names: Iterable[str], texts: Iterable[str]) -> bool:
    """Check whether a text has a family name outside all names. A frequent word ("King") is none where it is alone."""
    if count_in_dictionary(fold_name(family)) >= FREQUENT_WORD:
        return False
    marked = {**dict.fromkeys(names, ""), family: family}
    return any(found.text == family for text in texts for found in replace_texts(text, marked)[1])
