from __future__ import annotations

from collections import Counter

import pytest

from stages.curate.privacy.findings import Finder, PersonalDataKind, build_finder
from tests.curate.privacy.planted import plant_personal_data
from tests.curate.rows import LEXICONS


@pytest.fixture(scope="module")
def find() -> Finder:
    return build_finder(LEXICONS.names, 0.4)


def test_planted_personal_data_is_found_and_little_else(find: Finder) -> None:
    """800 texts, 8 kinds: recall and precision of whole spans are at least 0.95 each, and 0.9 of each kind."""
    right, planted, claimed = (Counter[PersonalDataKind]() for _ in range(3))
    for text in plant_personal_data():
        findings = find(text.text)
        claimed.update(finding.kind for finding in findings)
        if text.kind is not None:
            planted[text.kind] += 1
            right[text.kind] += any(
                (finding.start, finding.end, finding.kind) == (text.start, text.end, text.kind)
                for finding in findings
            )
    missed = {kind: planted[kind] - right[kind] for kind in PersonalDataKind}
    wrong = {kind: claimed[kind] - right[kind] for kind in PersonalDataKind}
    assert sum(planted.values()) == 400
    assert sum(right.values()) / sum(planted.values()) >= 0.95, missed
    assert sum(right.values()) / sum(claimed.values()) >= 0.95, wrong
    for kind in PersonalDataKind:
        assert right[kind] / planted[kind] >= 0.9, kind
        assert right[kind] / claimed[kind] >= 0.9, kind


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("ask Dr. Okafor", [("Okafor", PersonalDataKind.PERSON)]),
        ("my name is Xanthippe Zubrovka", [("Xanthippe Zubrovka", PersonalDataKind.PERSON)]),
        ("from San Jose to Santa Clara", []),
        ("over the Brooklyn Bridge", []),
        ("maria is late", []),
        ("P.O. Box 12 in Leeds", [("P.O. Box 12", PersonalDataKind.ADDRESS)]),
        ("👩‍👩‍👧 mail jo@example.org", [("jo@example.org", PersonalDataKind.EMAIL)]),
        ("2001:db8::ff00:42:8329 is down", [("2001:db8::ff00:42:8329", PersonalDataKind.IP)]),
        ("", []),
    ],
)
def test_each_text_has_its_findings(
    find: Finder, text: str, findings: list[tuple[str, PersonalDataKind]]
) -> None:
    assert [(text[finding.start : finding.end], finding.kind) for finding in find(text)] == findings
