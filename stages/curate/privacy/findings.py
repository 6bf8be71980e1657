"""Detection of personal data: Presidio's recognizers for patterns, and names by lexicon.

The recognizers are called directly, without Presidio's analyzer: its context words need a trained spaCy model,
and most texts can be ruled out for a kind before its recognizer runs.
"""

from __future__ import annotations

import bisect
import functools
import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

import regex

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
_FLAGS: Final = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
"""Those that Presidio compiles its patterns with."""
_DIGIT: Final = re.compile(r"\d")
_DOTTED: Final = re.compile(r"\d\.\d{1,3}\.\d{1,3}\.\d")
_MANY_DIGITS: Final = re.compile(r"(?:\d\D{0,3}){7}")
_REGIONS: Final = ("US", "GB", "DE", "FR", "IN")
"""Regions whose telephone numbers are recognized without a country code."""

_NUMBER_KINDS: Final = (
    PersonalDataKind.PHONE, PersonalDataKind.CARD, PersonalDataKind.IBAN, PersonalDataKind.SSN,
)  # fmt: skip
"""Kinds with at least seven digits."""
_IP_KINDS: Final = (PersonalDataKind.IP,)
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

    def find(text: str) -> list[Finding]:
        findings = [*map(_score_name, find_names(text)), *_find_patterns(text)]
        return _remove_overlaps(finding for finding in findings if finding.score >= min_score)

    return find


def _remove_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    kept: list[Finding] = []  # Sorted, and without overlap.
    for finding in sorted(findings, key=lambda found: (-found.score, found.start - found.end, found)):
        index = bisect.bisect_left(kept, finding.end, key=lambda found: found.start)
        if index == 0 or kept[index - 1].end <= finding.start:
            kept.insert(index, finding)
    return kept


def _find_patterns(text: str) -> Iterator[Finding]:
    """Yield what the patterns of this module and the recognizers of Presidio find; they may overlap."""
    for kind, may_contain, pattern, score in _PATTERNS:
        if may_contain(text):
            for match in pattern.finditer(text):
                yield Finding(match.start(), match.end(), kind, score)
    kinds = [
        *(_NUMBER_KINDS if _MANY_DIGITS.search(text) else ()),
        *(_IP_KINDS if _may_contain_ip(text) else ()),
    ]
    for kind in kinds:
        recognizer = _load_recognizers()[kind]
        for result in recognizer.analyze(text, recognizer.supported_entities, None) or ():
            yield Finding(result.start, result.end, kind, round(result.score, 2))


@functools.cache
def _load_recognizers() -> dict[PersonalDataKind, Any]:
    """Import Presidio's recognizers, once a text needs them: it takes a second."""
    with hide_packages(*MODEL_LIBRARIES):
        from presidio_analyzer import Pattern
        from presidio_analyzer.predefined_recognizers import (
            CreditCardRecognizer,
            IbanRecognizer,
            IpRecognizer,
            PhoneRecognizer,
            UsSsnRecognizer,
        )

    return {
        PersonalDataKind.PHONE: PhoneRecognizer(supported_regions=_REGIONS),
        PersonalDataKind.CARD: CreditCardRecognizer(),
        PersonalDataKind.IBAN: IbanRecognizer(),
        PersonalDataKind.SSN: UsSsnRecognizer(patterns=[Pattern("with separators", _SSN, 0.85)]),
        PersonalDataKind.IP: IpRecognizer(),
    }


def _may_contain_ip(text: str) -> bool:
    """Whether a text has four numbers with dots, the empty part of an IPv6 address, or all parts of one."""
    return _DOTTED.search(text) is not None or "::" in text or text.count(":") >= 7


_PATTERNS: Final[tuple[tuple[PersonalDataKind, Callable[[str], bool], regex.Pattern[str], float], ...]] = (
    (PersonalDataKind.EMAIL, lambda text: "@" in text, regex.compile(_EMAIL, _FLAGS), 0.9),
    (
        PersonalDataKind.ADDRESS,
        lambda text: _DIGIT.search(text) is not None,
        regex.compile(_ADDRESS, _FLAGS),
        0.6,
    ),
)
"""Kinds that Presidio cannot recognize offline (its e-mail addresses need a list of domains) or at all: a cheap test
that rules most texts out, the pattern, and its score."""


def _score_name(mention: NameMention) -> Finding:
    score = _NAME_SCORES[mention.pattern] * (1 if mention.capitalized else _PLAIN_SCORE)
    return Finding(mention.start, mention.end, PersonalDataKind.PERSON, round(score, 2))
