"""Surrogates: replacements for personal data that have the same form and belong to nobody.

They are drawn by a keyed hash (HMAC-SHA-256): the same text in the same group has the same surrogate, and
nobody without the key can try names until a surrogate matches. Numbers come from ranges that belong to
nobody: IP addresses of RFC 5737 and RFC 3849, domains of RFC 2606, social security numbers that begin with 9,
telephone numbers with 555-01.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from stages.curate.lexicons import NameLexicon
from stages.curate.privacy.findings import PersonalDataKind
from stages.curate.privacy.name_words import is_particle, is_suffix

_MAX_TRIES: Final = 16
_STREET_NAMES: Final = (
    "Alder", "Birch", "Cedar", "Elder", "Hazel", "Juniper", "Larch", "Linden", "Maple", "Rowan",
)  # fmt: skip
_FAMILY_NAMES: Final = (
    "Abara", "Bergman", "Castell", "Dalgaard", "Eriksen", "Fairley", "Greer", "Halloran", "Iversen",
    "Jellinek", "Kovacs", "Lindqvist", "Marchetti", "Novak", "Okonjo", "Petrov", "Quill", "Rasmussen",
    "Sorensen", "Tanaka", "Umarov", "Vasquez", "Winther", "Yamada",
)  # fmt: skip


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
