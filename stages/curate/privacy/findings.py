"""Detection of personal data: Presidio's recognizers for patterns, and names by lexicon.

The recognizers are called directly, without Presidio's analyzer: its context words need a trained spaCy model,
and most texts can be ruled out for a kind before its recognizer runs.
"""

from __future__ import annotations

import bisect
import functools
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, Final, NamedTuple

from exemplars.core.imports import hide_packages
from stages.curate.english import MODEL_LIBRARIES
from stages.curate.lexicons import NameLexicon
from stages.curate.privacy.names import NameMention, NamePattern, build_name_finder


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
_EMAIL: Final = (
    r"\b[\w.!#$%&'*+/=?^`{|}~-]{0,63}\w@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,9}[a-z]{2,63}\b"
)
"""With the lengths that addresses may have: without bounds, a long text could take quadratic time."""
_SSN: Final = r"\b(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}\b"
_MANY_DIGITS: Final = re.compile(r"(?:\d\D{0,3}){7}")
_REGIONS: Final = ("US", "GB", "DE", "FR", "IN")
"""Regions whose telephone numbers are recognized without a country code."""

_NAME_SCORES: Final = {
    NamePattern.NAME: 0.7,
    NamePattern.DOUBTFUL: 0.5,
    NamePattern.TITLED: 0.8,
    NamePattern.INTRODUCED: 0.9,
}
_PLAIN_SCORE: Final = 0.8
"""The score of a name that no capitals tell from other words, as a share of that of a name in capitals."""


@functools.lru_cache(maxsize=2)
def build_finder(names: NameLexicon, min_score: float) -> Finder:
    """Build the function that finds the personal data of a text: findings without overlap, in their order.

    If several recognizers claim a text, the most certain finding wins, then the longest.
    min_score: findings with a lower score are ignored.
    """
    find_names = build_name_finder(names)
    pattern_recognizers = _pattern_recognizers()

    def find(text: str) -> list[Finding]:
        findings = list(map(_score_name, find_names(text)))
        for kind, may_contain, recognizer, entity in pattern_recognizers:
            if may_contain(text):
                findings += [
                    Finding(result.start, result.end, kind, round(result.score, 2))
                    for result in recognizer.analyze(text, [entity], None) or ()
                ]
        return _remove_overlaps(finding for finding in findings if finding.score >= min_score)

    return find


def _remove_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    kept: list[Finding] = []  # Sorted, and without overlap.
    for finding in sorted(findings, key=lambda found: (-found.score, found.start - found.end, found)):
        index = bisect.bisect_left(kept, finding.end, key=lambda found: found.start)
        if index == 0 or kept[index - 1].end <= finding.start:
            kept.insert(index, finding)
    return kept


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


def _score_name(mention: NameMention) -> Finding:
    score = _NAME_SCORES[mention.pattern] * (1 if mention.capitalized else _PLAIN_SCORE)
    return Finding(mention.start, mention.end, PersonalDataKind.PERSON, round(score, 2))
