"""Detection of personal data: Presidio's recognizers for patterns, and names by lexicon with spaCy.

The recognizers are called directly, without Presidio's analyzer: its context words need a trained spaCy model,
and most texts can be ruled out for a kind before its recognizer runs.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from exemplars.core.imports import hide_packages
from stages.curate.english import MODEL_LIBRARIES, load_blank_english
from stages.curate.lexicons import NameLexicon

if TYPE_CHECKING:
    from spacy.matcher import Matcher


class PersonalDataKind(StrEnum):
    """A kind of personal data."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    SSN = "ssn"
    IP = "ip"
    ADDRESS = "address"
    PERSON = "person"


class Finding(NamedTuple):
    """Personal data in a text; offsets are code points, the end is exclusive."""

    start: int
    end: int
    kind: PersonalDataKind
    score: float
    """Certainty of the recognizer, in [0, 1]."""


Finder = Callable[[str], list[Finding]]
"""Finds the personal data of a text."""

_STREET_SUFFIXES: Final = (
    r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|place|pl|square|sq|terrace"
    r"|way|highway|hwy|parkway|pkwy|close|crescent)"
)
_ADDRESS: Final = (
    rf"\b\d{{1,5}}[a-z]?\s+(?:(?:north|south|east|west|n|s|e|w)\.?\s+)?"
    rf"(?:(?!at\b|on\b|in\b|for\b|of\b|to\b|by\b|am\b|pm\b)[a-z][\w'’-]*\s+){{1,3}}{_STREET_SUFFIXES}\b\.?"
    r"(?:,?\s+(?:apt|apartment|unit|suite|flat|no)\.?\s*#?\w+)?"
    r"|\bp\.?\s?o\.?\s+box\s+\d+\b"
)
_EMAIL: Final = r"\b[\w.!#$%&'*+/=?^`{|}~-]*\w@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\b"
_SSN: Final = r"\b(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}\b"
_MANY_DIGITS: Final = re.compile(r"(?:\d\D{0,3}){7}")
_REGIONS: Final = ("US", "GB", "DE", "FR", "IN")
"""Regions whose telephone numbers are recognized without a country code."""

_TITLES: Final = ("mr", "mrs", "ms", "miss", "dr", "prof", "professor", "madam", "sir")
_BEFORE_PLACES: Final = frozenset({"san", "santa", "saint", "st", "st.", "port", "fort", "lake", "mount"})
"""A name after one of these words is that of a place: "San Jose"."""
_PLACES: Final = (
    "airport", "avenue", "bar", "beach", "bridge", "cafe", "center", "centre", "church", "city", "club",
    "college", "grill", "hall", "hospital", "hotel", "inn", "international", "museum", "opera", "palace",
    "park", "plaza", "restaurant", "road", "salon", "school", "spa", "square", "stadium", "station",
    "street", "theater", "theatre", "tower", "university",
)  # fmt: skip
_DATE_WORDS: Final = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february",
    "march", "april", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_NAME_SCORES: Final = {"name": 0.7, "doubtful": 0.5, "titled": 0.8, "introduced": 0.9}
_SKIPPED_TOKENS: Final = {"titled": 1, "introduced": 3}
"""Tokens at the beginning of a match that are not part of the name: the title, or "my name is"."""


@functools.lru_cache(maxsize=2)
def build_finder(names: NameLexicon, min_score: float) -> Finder:
    """Build the function that finds the personal data of a text: findings without overlap, in their order.

    If several recognizers claim a text, the most certain finding wins, then the longest.
    min_score: findings with a lower score are ignored.
    """
    find_names = _build_name_finder(names)
    pattern_recognizers = _pattern_recognizers()

    def find(text: str) -> list[Finding]:
        findings = find_names(text)
        for kind, may_contain, recognizer, entity in pattern_recognizers:
            if may_contain(text):
                findings += [
                    Finding(result.start, result.end, kind, round(result.score, 2))
                    for result in recognizer.analyze(text, [entity], None) or ()
                ]
        return _remove_overlaps(finding for finding in findings if finding.score >= min_score)

    return find


def _remove_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda found: (-found.score, found.start - found.end, found)):
        if all(finding.end <= other.start or other.end <= finding.start for other in kept):
            kept.append(finding)
    return sorted(kept)


def _pattern_recognizers() -> list[tuple[PersonalDataKind, Callable[[str], bool], Any, str]]:
    """Return for each kind: a cheap test that rules most texts out, the recognizer, and its entity."""
    with hide_packages(*MODEL_LIBRARIES):
        from presidio_analyzer import Pattern, PatternRecognizer
        from presidio_analyzer.predefined_recognizers import (
            CreditCardRecognizer,
            IbanRecognizer,
            IpRecognizer,
            PhoneRecognizer,
            UsSsnRecognizer,
        )

    # Presidio's own recognizer of e-mail addresses downloads a list of domains.
    email = PatternRecognizer("EMAIL_ADDRESS", patterns=[Pattern("address", _EMAIL, 0.9)])
    ssn = UsSsnRecognizer(patterns=[Pattern("with separators", _SSN, 0.85)])
    address = PatternRecognizer("ADDRESS", patterns=[Pattern("number and street", _ADDRESS, 0.6)])

    def has_digit(text: str) -> bool:
        return any(letter.isdigit() for letter in text)

    def has_many_digits(text: str) -> bool:
        return _MANY_DIGITS.search(text) is not None

    def may_contain_ip(text: str) -> bool:
        return text.count(".") >= 3 or text.count(":") >= 2

    phone = PhoneRecognizer(supported_regions=_REGIONS)
    return [
        (PersonalDataKind.EMAIL, lambda text: "@" in text, email, "EMAIL_ADDRESS"),
        (PersonalDataKind.PHONE, has_many_digits, phone, "PHONE_NUMBER"),
        (PersonalDataKind.CARD, has_many_digits, CreditCardRecognizer(), "CREDIT_CARD"),
        (PersonalDataKind.IBAN, has_many_digits, IbanRecognizer(), "IBAN_CODE"),
        (PersonalDataKind.SSN, has_many_digits, ssn, "US_SSN"),
        (PersonalDataKind.IP, may_contain_ip, IpRecognizer(), "IP_ADDRESS"),
        (PersonalDataKind.ADDRESS, has_digit, address, "ADDRESS"),
    ]


def _build_name_finder(names: NameLexicon) -> Finder:
    ambiguous = sorted(name.lower() for name in names.ambiguous)
    certain = sorted({name.lower() for name in (*names.female, *names.male)} - set(ambiguous))
    matcher = _build_name_matcher(certain, ambiguous)
    nlp = load_blank_english()
    # A match contains one of these words. Tokenizing only the texts that have one saves most of the time.
    triggers = frozenset([*certain, *ambiguous, *_TITLES, "name"])
    letters = re.compile(r"[^\W\d_]+")

    def find_names(text: str) -> list[Finding]:
        if not any(word.lower() in triggers for word in letters.findall(text)):
            return []
        doc = nlp.make_doc(text)
        findings = []
        for match, start, end in matcher(doc):
            pattern = nlp.vocab.strings[match]
            span = doc[start + _SKIPPED_TOKENS.get(pattern, 0) : end]
            if span.start > 0 and doc[span.start - 1].lower_ in _BEFORE_PLACES:
                continue
            findings.append(
                Finding(span.start_char, span.end_char, PersonalDataKind.PERSON, _NAME_SCORES[pattern])
            )
        return findings

    return find_names


def _build_name_matcher(certain: list[str], ambiguous: list[str]) -> Matcher:
    """Build spaCy's matcher of first names with family names, and of what follows a title or "my name is"."""
    nlp = load_blank_english()
    from spacy.matcher import Matcher  # Only after `load_blank_english`, which hides the model libraries.

    family: dict[str, Any] = {
        "IS_TITLE": True,
        "IS_ALPHA": True,
        "LOWER": {"NOT_IN": ["i", *_DATE_WORDS, *_PLACES]},
    }
    first = {"LOWER": {"IN": certain}, "IS_TITLE": True}
    doubtful = {"LOWER": {"IN": ambiguous}, "IS_TITLE": True}
    title = {"LOWER": {"IN": [*_TITLES, *(f"{word}." for word in _TITLES)]}, "IS_TITLE": True}
    my_name_is: list[dict[str, Any]] = [
        {"LOWER": "my"},
        {"LOWER": "name"},
        {"LOWER": {"IN": ["is", "'s", "’s"]}},
    ]
    matcher = Matcher(nlp.vocab)
    matcher.add("name", [[first], [first, family], [first, family, family]])
    matcher.add("doubtful", [[doubtful, family]])
    matcher.add("titled", [[title, family], [title, family, family]])
    matcher.add("introduced", [[*my_name_is, family], [*my_name_is, family, family]])
    return matcher
