"""Personal data in a text: Presidio's recognizers of patterns, and names by lexicon with spaCy.

The recognizers are asked one by one, without Presidio's analyzer: its context words need a trained spaCy
model, and most texts can be told at a glance to hold nothing of a kind.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, Final, NamedTuple

from exemplars.core.imports import hide_packages
from stages.curate.english import MODEL_LIBRARIES, blank_english
from stages.curate.lexicons import Names


class Kind(StrEnum):
    """What personal data is."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    SSN = "ssn"
    IP = "ip"
    ADDRESS = "address"
    PERSON = "person"


class Finding(NamedTuple):
    """Personal data in a text; code points, end exclusive."""

    start: int
    end: int
    kind: Kind
    score: float


Finder = Callable[[str], list[Finding]]

_STREETS: Final = (
    r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|place|pl|square|sq|terrace"
    r"|way|highway|hwy|parkway|pkwy|close|crescent)"
)
_ADDRESS: Final = (
    rf"\b\d{{1,5}}[a-z]?\s+(?:(?:north|south|east|west|n|s|e|w)\.?\s+)?"
    rf"(?:(?!at\b|on\b|in\b|for\b|of\b|to\b|by\b|am\b|pm\b)[a-z][\w'’-]*\s+){{1,3}}{_STREETS}\b\.?"
    r"(?:,?\s+(?:apt|apartment|unit|suite|flat|no)\.?\s*#?\w+)?"
    r"|\bp\.?\s?o\.?\s+box\s+\d+\b"
)
_EMAIL: Final = r"\b[\w.!#$%&'*+/=?^`{|}~-]*\w@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\b"
_SSN: Final = r"\b(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}\b"
_MANY_DIGITS: Final = re.compile(r"(?:\d\D{0,3}){7}")
_TITLES: Final = ("mr", "mrs", "ms", "miss", "dr", "prof", "professor", "madam", "sir")
_REGIONS: Final = ("US", "GB", "DE", "FR", "IN")


@functools.lru_cache(maxsize=2)
def finder(names: Names, min_score: float) -> Finder:
    """What finds the personal data of a text: findings that do not overlap, in their order.

    Where several recognizers claim a text, the most certain one has it, then the longest.
    """
    person = _person_finder(names)
    patterned = _pattern_recognizers()

    def find(text: str) -> list[Finding]:
        found = person(text)
        for kind, may_hold, recognizer, entity in patterned:
            if may_hold(text):
                found += [
                    Finding(one.start, one.end, kind, round(one.score, 2))
                    for one in recognizer.analyze(text, [entity], None) or ()
                ]
        return _apart(one for one in found if one.score >= min_score)

    return find


def _apart(found: Iterable[Finding]) -> list[Finding]:
    kept: list[Finding] = []
    for one in sorted(found, key=lambda each: (-each.score, each.start - each.end, each)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept)


def _pattern_recognizers() -> list[tuple[Kind, Callable[[str], bool], Any, str]]:
    """For each kind: what tells at a glance that a text may hold it, the recognizer, its entity."""
    with hide_packages(*MODEL_LIBRARIES):
        from presidio_analyzer import Pattern, PatternRecognizer
        from presidio_analyzer.predefined_recognizers import (
            CreditCardRecognizer,
            IbanRecognizer,
            IpRecognizer,
            PhoneRecognizer,
            UsSsnRecognizer,
        )

    # Presidio's own recognizer of e-mail addresses asks the network for a list of domains.
    email = PatternRecognizer("EMAIL_ADDRESS", patterns=[Pattern("address", _EMAIL, 0.9)])
    ssn = UsSsnRecognizer(patterns=[Pattern("with separators", _SSN, 0.85)])
    address = PatternRecognizer("ADDRESS", patterns=[Pattern("number and street", _ADDRESS, 0.6)])

    def digits(text: str) -> bool:
        return _MANY_DIGITS.search(text) is not None

    def digit(text: str) -> bool:
        return any(letter.isdigit() for letter in text)

    return [
        (Kind.EMAIL, lambda text: "@" in text, email, "EMAIL_ADDRESS"),
        (Kind.PHONE, digits, PhoneRecognizer(supported_regions=_REGIONS), "PHONE_NUMBER"),
        (Kind.CARD, digits, CreditCardRecognizer(), "CREDIT_CARD"),
        (Kind.IBAN, digits, IbanRecognizer(), "IBAN_CODE"),
        (Kind.SSN, digits, ssn, "US_SSN"),
        (Kind.IP, lambda text: text.count(".") >= 3 or text.count(":") >= 2, IpRecognizer(), "IP_ADDRESS"),
        (Kind.ADDRESS, digit, address, "ADDRESS"),
    ]


def _person_finder(names: Names) -> Finder:
    """Finds first names with the family names behind them, and what follows a title or "my name is"."""
    nlp = blank_english()
    from spacy.matcher import Matcher  # Not before spaCy was imported without the model libraries.

    matcher = Matcher(nlp.vocab)
    certain = sorted(
        {name.lower() for name in (*names.female, *names.male)} - {n.lower() for n in names.ambiguous}
    )
    ambiguous = sorted(name.lower() for name in names.ambiguous)
    family: dict[str, Any] = {
        "IS_TITLE": True,
        "IS_ALPHA": True,
        "LOWER": {"NOT_IN": ["i", *_WEEKDAYS, *_PLACES]},
    }
    first = {"LOWER": {"IN": certain}, "IS_TITLE": True}
    doubtful = {"LOWER": {"IN": ambiguous}, "IS_TITLE": True}
    title = {"LOWER": {"IN": [*_TITLES, *(f"{one}." for one in _TITLES)]}, "IS_TITLE": True}
    matcher.add("name", [[first], [first, family], [first, family, family]])
    matcher.add("doubtful", [[doubtful, family]])
    matcher.add("titled", [[title, family], [title, family, family]])
    said: list[dict[str, Any]] = [{"LOWER": "my"}, {"LOWER": "name"}, {"LOWER": {"IN": ["is", "'s", "’s"]}}]
    matcher.add("said", [[*said, family], [*said, family, family]])
    skipped = {nlp.vocab.strings["titled"]: 1, nlp.vocab.strings["said"]: 3}
    scores = {"name": 0.7, "doubtful": 0.5, "titled": 0.8, "said": 0.9}
    known = frozenset([*certain, *ambiguous, *_TITLES, "name"])
    words = re.compile(r"[^\W\d_]+")

    def find(text: str) -> list[Finding]:
        if not any(word.lower() in known for word in words.findall(text)):
            return []
        doc = nlp.make_doc(text)
        found = []
        for match, start, end in matcher(doc):
            span = doc[start + skipped.get(match, 0) : end]
            if span.start > 0 and doc[span.start - 1].lower_ in _BEFORE_PLACES:
                continue
            score = scores[nlp.vocab.strings[match]]
            found.append(Finding(span.start_char, span.end_char, Kind.PERSON, score))
        return found

    return find


_BEFORE_PLACES: Final = frozenset({"san", "santa", "saint", "st", "st.", "port", "fort", "lake", "mount"})
_PLACES: Final = (
    "airport", "avenue", "bar", "beach", "bridge", "cafe", "center", "centre", "church", "city", "club",
    "college", "grill", "hall", "hospital", "hotel", "inn", "international", "museum", "opera", "palace",
    "park", "plaza", "restaurant", "road", "salon", "school", "spa", "square", "stadium", "station",
    "street", "theater", "theatre", "tower", "university",
)  # fmt: skip
_WEEKDAYS: Final = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february",
    "march", "april", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
