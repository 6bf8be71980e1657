from __future__ import annotations

from stages.publish.licenses.clashes import Declared
from stages.publish.licenses.duties import SENTENCES, Duty, duties_of, hub_name
from stages.publish.licenses.terms import Term


def test_share_alike_and_attribution_are_told_with_the_sources_they_come_from() -> None:
    declared = [
        Declared("b", "CC-BY-SA-4.0", 1),
        Declared("a", "CC-BY-SA-4.0", 1),
        Declared("c", "CC0-1.0", 1),
    ]
    assert duties_of(declared) == (
        Duty(
            "CC-BY-SA-4.0",
            Term.ATTRIBUTION,
            "name the authors, link to the licence, and say what was changed",
            ("a", "b"),
        ),
        Duty(
            "CC-BY-SA-4.0",
            Term.SHARE_ALIKE,
            "pass on what holds it, or is made of it, under the same or a compatible licence",
            ("a", "b"),
        ),
    )


def test_every_term_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Term)


def test_the_hub_has_its_own_names() -> None:
    names = {one: hub_name(one) for one in ("CC-BY-SA-4.0", "GPL-3.0-only", "ODbL-1.0", "LicenseRef-a")}
    assert names == {
        "CC-BY-SA-4.0": "cc-by-sa-4.0",
        "GPL-3.0-only": "gpl-3.0",
        "ODbL-1.0": "odbl",
        "LicenseRef-a": "other",
    }
