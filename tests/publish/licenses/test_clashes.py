from __future__ import annotations

import pytest

from exemplars.core.licenses import list_alternatives
from stages.publish.licenses.clashes import (
    Clash,
    DeclaredLicense,
    describe_unaccepted_clashes,
    explain_clash,
    find_clashes,
)
from stages.publish.licenses.terms import (
    COMPATIBLE_LICENSES,
    HUB_NAMES,
    INCOMPATIBLE_PAIRS,
    TERMS,
    Term,
    find_terms,
)
from stages.publish.params import AcceptedClash

NC = "forbids commercial use"
OWN_TERMS = "each requires that the whole is shared under its own terms"


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        # Permissive and attribution licenses may be combined with all that allow adaptations.
        ("MIT", "Apache-2.0", None),
        ("CC0-1.0", "CC-BY-NC-4.0", None),
        ("CC-BY-4.0", "CC-BY-SA-4.0", None),
        ("CC-BY-4.0", "GPL-3.0-only", None),
        ("ODC-By-1.0", "CC-BY-NC-SA-4.0", None),
        # Share-alike: the same license, a later version, or a license that the steward lists.
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0", None),
        ("CC-BY-SA-3.0", "CC-BY-SA-4.0", None),
        ("CC-BY-SA-1.0", "CC-BY-SA-4.0", OWN_TERMS),
        ("CC-BY-SA-4.0", "ODbL-1.0", OWN_TERMS),
        ("CC-BY-SA-4.0", "CDLA-Sharing-1.0", OWN_TERMS),
        ("CC-BY-SA-4.0", "LAL-1.3", None),
        ("CC-BY-SA-4.0", "GPL-3.0-or-later", None),
        ("CC-BY-SA-4.0", "GPL-2.0-only", OWN_TERMS),
        # Copyleft.
        ("GPL-2.0-only", "GPL-3.0-only", OWN_TERMS),
        ("GPL-2.0-or-later", "GPL-3.0-only", None),
        ("GPL-3.0-only", "AGPL-3.0-only", None),
        ("MPL-2.0", "GPL-2.0-only", None),
        ("LGPL-2.1-only", "GPL-3.0-only", None),
        ("EUPL-1.2", "GPL-2.0-only", None),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", None),
        # Non-commercial and a license that requires commercial use to be allowed.
        ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", None),
        ("CC-BY-NC-4.0", "CC-BY-SA-4.0", NC),
        ("CC-BY-NC-4.0", "GPL-3.0-only", NC),
        ("CC-BY-NC-SA-4.0", "CC-BY-SA-4.0", OWN_TERMS),
        ("CC-BY-NC-SA-4.0", "ODbL-1.0", OWN_TERMS),
        # Pairs from the list of the Free Software Foundation.
        ("Apache-2.0", "GPL-2.0-only", "patent conditions"),
        ("Apache-2.0", "GPL-3.0-only", None),
        ("BSD-4-Clause", "AGPL-3.0-only", "advertising clause"),
        # Adaptations that may not be shared; licenses that are not in the table.
        ("CC-BY-ND-4.0", "CC-BY-ND-4.0", "exemplars are adaptations"),
        ("CC-BY-NC-ND-3.0", "CC-BY-NC-ND-3.0", "exemplars are adaptations"),
        ("LicenseRef-a", "LicenseRef-a", None),
        ("LicenseRef-a", "CC0-1.0", "the terms of LicenseRef-a are not in the license table"),
        ("LicenseRef-a", "Sleepycat", "the terms of LicenseRef-a and Sleepycat are not in the license table"),
    ],
)  # fmt: skip
def test_two_licenses_clash_or_not(first: str, second: str, why: str | None) -> None:
    for explanation in (explain_clash(first, second), explain_clash(second, first)):
        assert (
            (explanation is None)
            if why is None
            else set(why.split()) <= set((explanation or "").replace(",", "").split())
        )


def test_a_license_clashes_with_itself_only_if_it_allows_no_adaptation() -> None:
    clashing = {name for name in TERMS if explain_clash(name, name)}
    assert clashing == {name for name in TERMS if Term.NO_DERIVATIVES in find_terms(name)}


def test_every_license_of_the_table_is_an_spdx_identifier() -> None:
    assert {name: list_alternatives(name) for name in TERMS} == {name: (frozenset({name}),) for name in TERMS}
    named = {license for pair in INCOMPATIBLE_PAIRS for license in pair} | {*COMPATIBLE_LICENSES, *HUB_NAMES}
    assert named | {name for names in COMPATIBLE_LICENSES.values() for name in names} <= set(TERMS)


def declared(**licenses: str) -> list[DeclaredLicense]:
    return [DeclaredLicense(source, license.replace("_", " "), 1) for source, license in licenses.items()]


def test_a_clash_is_reported_with_its_sources_splits_and_remedy() -> None:
    splits = {
        "train": declared(forum="CC-BY-SA-4.0", news="CC-BY-NC-4.0", own="MIT"),
        "validation": declared(own="MIT", news="CC-BY-NC-4.0"),
        "test": declared(forum="CC-BY-SA-4.0", news="CC-BY-NC-4.0"),
    }
    [problem] = describe_unaccepted_clashes(find_clashes(splits, ()))
    assert str(problem) == (
        "splits train, test: license_clash: source forum (CC-BY-SA-4.0) and source news (CC-BY-NC-4.0) may not be in "
        "the same dataset: CC-BY-SA-4.0 requires that the whole may be used for any purpose, and CC-BY-NC-4.0 "
        "forbids commercial use; leave a source out of compile.sources, or accept the clash in params.yaml, with "
        "the reason: publish.accepted_license_clashes: "
        '[{licenses: [CC-BY-NC-4.0, CC-BY-SA-4.0], reason: "..."}]'
    )


def test_a_clash_that_is_accepted_in_writing_is_kept_with_its_reason() -> None:
    splits = {"train": declared(a="CC-BY-SA-4.0", b="ODbL-1.0", c="CC-BY-ND-4.0")}
    accepted = [
        AcceptedClash(("ODbL-1.0", "CC-BY-SA-4.0"), "both are ours"),
        AcceptedClash(("CC-BY-ND-4.0",), "allowed by letter"),
    ]
    assert find_clashes(splits, accepted) == (
        Clash(
            ("CC-BY-ND-4.0",),
            "CC-BY-ND-4.0 forbids sharing adaptations, and exemplars are adaptations",
            ("train",),
            (("c", "CC-BY-ND-4.0"),),
            "allowed by letter",
        ),
        Clash(
            ("CC-BY-SA-4.0", "ODbL-1.0"),
            OWN_TERMS,
            ("train",),
            (("a", "CC-BY-SA-4.0"), ("b", "ODbL-1.0")),
            "both are ours",
        ),
    )
    assert describe_unaccepted_clashes(find_clashes(splits, accepted)) == []


def test_accepting_a_clash_accepts_no_other() -> None:
    splits = {"train": declared(a="CC-BY-SA-4.0", b="ODbL-1.0", c="GPL-2.0-only")}
    accepted = [AcceptedClash(("CC-BY-SA-4.0", "ODbL-1.0"), "both are ours")]
    unaccepted = [clash.licenses for clash in find_clashes(splits, accepted) if clash.reason is None]
    assert unaccepted == [("CC-BY-SA-4.0", "GPL-2.0-only"), ("GPL-2.0-only", "ODbL-1.0")]


def test_clashing_sources_in_different_splits_do_not_clash() -> None:
    splits = {"train": declared(a="CC-BY-SA-4.0"), "test": declared(b="CC-BY-NC-4.0")}
    assert find_clashes(splits, ()) == ()


def test_the_alternative_of_an_expression_without_a_clash_is_chosen() -> None:
    splits = {"train": declared(a="CC-BY-SA-4.0", b="CC-BY-NC-4.0_OR_MIT")}
    assert find_clashes(splits, ()) == ()


def test_licenses_that_apply_together_clash_within_one_source() -> None:
    [clash] = find_clashes({"train": declared(a="CC-BY-SA-4.0_AND_ODbL-1.0")}, ())
    assert clash.sources == (("a", "CC-BY-SA-4.0 AND ODbL-1.0"),)


def test_two_licenses_of_the_author_do_not_clash_and_one_with_another_license_does() -> None:
    assert explain_clash("LicenseRef-hotel", "LicenseRef-logs") is None
    assert explain_clash("LicenseRef-hotel", "CC-BY-SA-4.0") is not None
    assert explain_clash("DocumentRef-x", "LicenseRef-logs") is not None
