from __future__ import annotations

from stages.publish.licenses.clashes import DeclaredLicense
from stages.publish.licenses.obligations import SENTENCES, Obligation, find_hub_name, list_obligations
from stages.publish.licenses.terms import Term


def test_obligations_have_the_sources_that_they_come_from() -> None:
    declared = [
        DeclaredLicense("b", "CC-BY-SA-4.0", 1),
        DeclaredLicense("a", "CC-BY-SA-4.0", 1),
        DeclaredLicense("c", "CC0-1.0", 1),
    ]
    assert list_obligations(declared) == (
        Obligation(
            "CC-BY-SA-4.0",
            Term.ATTRIBUTION,
            "name the authors, link to the license, and say what was changed",
            ("a", "b"),
        ),
        Obligation(
            "CC-BY-SA-4.0",
            Term.SHARE_ALIKE,
            "share what contains it, or is made from it, only under the same license or a compatible license",
            ("a", "b"),
        ),
    )


def test_every_term_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Term)


def test_licenses_have_the_names_of_the_hub() -> None:
    names = {
        name: find_hub_name(name) for name in ("CC-BY-SA-4.0", "GPL-3.0-only", "ODbL-1.0", "LicenseRef-a")
    }
    assert names == {
        "CC-BY-SA-4.0": "cc-by-sa-4.0",
        "GPL-3.0-only": "gpl-3.0",
        "ODbL-1.0": "odbl",
        "LicenseRef-a": "other",
    }
