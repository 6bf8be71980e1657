from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from stages.curate.lexicons import Names
from stages.curate.privacy.findings import Finder, Kind, finder
from tests.conftest import PROJECT
from tests.curate.privacy.planted import planted_set

NAMES = msgspec.json.decode((PROJECT / "schemas/lexicons/names.json").read_bytes(), type=Names)


@pytest.fixture(scope="module")
def find() -> Finder:
    return finder(NAMES, 0.4)


def test_planted_personal_data_is_found_and_little_else(find: Finder) -> None:
    """800 texts, 8 kinds: recall and precision of whole spans are at least 0.95 each, and 0.9 of each kind."""
    right, planted, claimed = Counter[Kind](), Counter[Kind](), Counter[Kind]()
    for one in planted_set():
        found = find(one.text)
        claimed.update(finding.kind for finding in found)
        if one.kind is not None:
            planted[one.kind] += 1
            right[one.kind] += any(
                (finding.start, finding.end, finding.kind) == (one.start, one.end, one.kind)
                for finding in found
            )
    assert sum(planted.values()) == 400
    assert sum(right.values()) / sum(planted.values()) >= 0.95, {k: planted[k] - right[k] for k in Kind}
    assert sum(right.values()) / sum(claimed.values()) >= 0.95, {k: claimed[k] - right[k] for k in Kind}
    for kind in Kind:
        assert right[kind] / planted[kind] >= 0.9, kind
        assert right[kind] / claimed[kind] >= 0.9, kind


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ask Dr. Okafor", [("Okafor", Kind.PERSON)]),
        ("my name is Xanthippe Zubrovka", [("Xanthippe Zubrovka", Kind.PERSON)]),
        ("from San Jose to Santa Clara", []),
        ("over the Brooklyn Bridge", []),
        ("maria is late", []),
        ("P.O. Box 12 in Leeds", [("P.O. Box 12", Kind.ADDRESS)]),
        ("👩‍👩‍👧 mail jo@example.org", [("jo@example.org", Kind.EMAIL)]),
        ("2001:db8::ff00:42:8329 is down", [("2001:db8::ff00:42:8329", Kind.IP)]),
        ("", []),
    ],
)
def test_single_texts(find: Finder, text: str, found: list[tuple[str, Kind]]) -> None:
    assert [(text[one.start : one.end], one.kind) for one in find(text)] == found
