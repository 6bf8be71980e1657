"""Texts with planted personal data, and texts that only look as if they had some."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from stages.curate.privacy.findings import PersonalDataKind


class Planted(NamedTuple):
    """A text, and the span of personal data in it; `kind` is `None` if it has none."""

    text: str
    kind: PersonalDataKind | None
    start: int
    end: int


FRAMES = (
    "could you save {} for me",
    "{} is what they gave me, write it down",
    "please note {} somewhere safe",
    "send it to {}.",
    "is {} still right?",
    "they have {} on file",
    "and then there was {}, I think",
)
PERSON_FRAMES = (
    "call {} tonight",
    "tell {} that I am late",
    "is {} coming to dinner?",
    "my name is {}",
    "book it for {} please",
    "a table with {} on Friday",
)
FIRST = ("Maria", "Ahmed", "Priya", "Kevin", "Susan", "Hiroshi", "Olga", "Diego", "Fatima", "Robert")
FAMILY = (
    "Kowalski",
    "Haddad",
    "Iyer",
    "Brannigan",
    "Whitlock",
    "Mori",
    "Sokolova",
    "Fuentes",
    "Rahman",
    "Oduya",
)
STREETS = (
    "Willow Street",
    "Old Mill Road",
    "Harbour View Avenue",
    "King Lane",
    "N. Cedar Drive",
    "Station Road",
)
NOTHING = (
    "set an alarm for {h}:{m:02} on 2019-03-{d:02}",
    "transfer ${a} to savings",
    "a table for {d} at {h} pm",
    "order number {a} please",
    "what is {a} divided by {d}",
    "play track {d} of the album 19{m:02}",
    "flight UA {a} at gate {d}",
    "remind me in {m} minutes",
    "the recipe needs {a} grams of flour",
    "turn to channel {a}",
    "I will come in May, or maybe in June, will you?",
    "version {d}.{m} came out in 20{d:02}",
    "it costs between {a} and {b} dollars",
    "Monday to Friday from {h} to {d}",
    "my score was {a} to {b}",
    "find hotels in San Francisco or San Jose for {d} people",
    "is Paris nice in August?",
    "drive {d} miles to the next station",
)


def plant_personal_data(seed: int = 20190301) -> list[Planted]:
    """Make 50 texts of each of 8 kinds, and 400 without personal data."""
    chance = random.Random(seed)
    texts = [_plant(kind, chance) for kind in PersonalDataKind for _ in range(50)]
    for _ in range(400):
        frame = chance.choice(NOTHING)
        numbers = {
            "h": chance.randint(1, 12),
            "m": chance.randint(10, 59),
            "d": chance.randint(2, 28),
            "a": chance.randint(100, 99999),
            "b": chance.randint(100, 99999),
        }
        texts.append(Planted(frame.format(**numbers), None, 0, 0))
    return texts


NAME_FRAMES = (
    "tell {} I am late",
    "let {} know that I will be late",
    "call {} tonight",
    "is {} coming to dinner?",
    "please book it for {}",
    "a table with {} on Friday",
    "I was with {} yesterday, you know",
    "what is the number of {}",
    "{} said so",
)
"""What follows a name is a word that says nothing of names, a sign, or the end."""
PREFIXED = ("McDonald", "MacArthur", "McKinley", "O'Brien", "O’Connor", "D'Angelo", "O'Neil", "McGregor")
COMPOUND_FIRST = ("Jean-Luc", "Mary-Jane", "Anne-Marie", "Jean-Pierre", "Maria-Elena", "Karl-Otto")
DOUBLE = ("Garcia-Lopez", "Smith-Jones", "Kowalski-Brown", "Lloyd-Webber", "Iyer-Haddad", "Nunez-Ortega")
WITH_PARTICLES = (
    "de la Cruz", "van der Berg", "von Neumann", "del Toro", "bin Salman", "van Houten", "di Stefano", "Le Guin",
    "de Souza", "St. John", "al-Farsi", "da Silva",
)  # fmt: skip
ACCENTED = ("Núñez", "Müller", "Gonçalves", "Sørensen", "Dvořák", "Lefèvre", "Åkesson", "García Márquez")
COMMON = (
    "Smith",
    "Brown",
    "Rossi",
    "Nakamura",
    "Fernandez",
    "Schmidt",
    "Campbell",
    "Okafor",
    "Singh",
    "Murphy",
)


def plant_names(seed: int = 20190301) -> list[tuple[str, str, int, int]]:
    """Make 100 texts of each of 12 kinds of names: the kind, the text, and the span of the name."""
    chance = random.Random(seed)
    makers: dict[str, Callable[[str], str]] = {
        "prefixed": lambda first: f"{first} {chance.choice(PREFIXED)}",
        "compound first name": lambda _: f"{chance.choice(COMPOUND_FIRST)} {chance.choice(FAMILY)}",
        "double": lambda first: f"{first} {chance.choice(DOUBLE)}",
        "particles": lambda first: f"{first} {chance.choice(WITH_PARTICLES)}",
        "accents": lambda first: f"{first} {chance.choice(ACCENTED)}",
        "initial": lambda first: f"{first} {chance.choice('BCJKQRST')}. {chance.choice(FAMILY)}",
        "suffix": lambda first: f"{first} {chance.choice(COMMON)} {chance.choice(('Jr', 'III', 'Sr'))}",
        "capitals": lambda first: f"{first} {chance.choice((*COMMON, *PREFIXED))}".upper(),
        "capitals in all": lambda first: f"{first} {chance.choice((*COMMON, *DOUBLE))}".upper(),
        "lower case": lambda first: f"{first} {chance.choice(COMMON)}".lower(),
        "lower case, prefixed": lambda first: f"{first} {chance.choice((*PREFIXED, *DOUBLE))}".lower(),
        "lower case, particles": lambda first: f"{first} {chance.choice(WITH_PARTICLES)}".lower(),
    }
    return [
        _plant_name(kind, make(chance.choice(FIRST)), chance.choice(NAME_FRAMES))
        for kind, make in makers.items()
        for _ in range(100)
    ]


def _plant_name(kind: str, name: str, frame: str) -> tuple[str, str, int, int]:
    if kind == "capitals in all":
        frame = frame.upper()
    if kind.startswith("lower case"):
        frame = frame.lower()
    start = frame.index("{}")
    return kind, frame.format(name), start, start + len(name)


def _plant(kind: PersonalDataKind, chance: random.Random) -> Planted:
    value = _make_value(kind, chance)
    frame = chance.choice(PERSON_FRAMES if kind is PersonalDataKind.PERSON else FRAMES)
    start = frame.index("{}")
    return Planted(frame.format(value), kind, start, start + len(value))


def _draw_digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def _make_value(kind: PersonalDataKind, chance: random.Random) -> str:
    match kind:
        case PersonalDataKind.EMAIL:
            name = chance.choice(FIRST).lower()
            host = chance.choice(("example.com", "mail.example.co.uk", "example.org"))
            return chance.choice(
                (f"{name}@{host}", f"{name}.{_draw_digits(chance, 2)}@{host}", f"{name}+shop@{host}")
            )
        case PersonalDataKind.PHONE:
            area, line = (
                chance.choice(("212", "415", "617", "312")),
                f"{chance.randint(2, 9)}{_draw_digits(chance, 2)}",
            )
            last = _draw_digits(chance, 4)
            forms = (
                f"({area}) {line}-{last}",
                f"{area}-{line}-{last}",
                f"+1 {area} {line} {last}",
                f"{area}.{line}.{last}",
            )
            return chance.choice((*forms, f"+44 20 7{_draw_digits(chance, 3)} {_draw_digits(chance, 4)}"))
        case PersonalDataKind.CARD:
            return _group_digits(_append_luhn_digits(chance.choice(("4", "51", "55")), chance), chance)
        case PersonalDataKind.IBAN:
            return _make_iban(chance)
        case PersonalDataKind.SSN:
            return f"{chance.randint(100, 665)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}"
        case PersonalDataKind.IP:
            return ".".join(str(chance.randint(1, 254)) for _ in range(4))
        case PersonalDataKind.ADDRESS:
            return f"{chance.randint(1, 9999)} {chance.choice(STREETS)}"
        case PersonalDataKind.PERSON:
            first, family = chance.choice(FIRST), chance.choice(FAMILY)
            return chance.choice((first, f"{first} {family}"))


def _append_luhn_digits(prefix: str, chance: random.Random) -> str:
    body = prefix + _draw_digits(chance, 15 - len(prefix))
    total = sum(
        int(digit) if index % 2 else sum(divmod(int(digit) * 2, 10))
        for index, digit in enumerate(reversed(body))
    )
    return body + str(-total % 10)


def _group_digits(digits: str, chance: random.Random) -> str:
    between = chance.choice(("", " ", "-"))
    return between.join(digits[start : start + 4] for start in range(0, 16, 4))


def _make_iban(chance: random.Random) -> str:
    body = _draw_digits(chance, 18)
    number = int(body + str(int("D", 36)) + str(int("E", 36)) + "00")
    text = f"DE{98 - number % 97:02}{body}"
    return chance.choice((text, " ".join(text[start : start + 4] for start in range(0, len(text), 4))))
