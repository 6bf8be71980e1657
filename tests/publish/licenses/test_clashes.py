from __future__ import annotations

import pytest

from stages.publish.licenses.clashes import Clash, Declared, clash_problems, clashes_of, why_they_clash
from stages.publish.licenses.expressions import alternatives
from stages.publish.licenses.terms import ALSO_UNDER, AT_ODDS, HUB_NAMES, TERMS, Term, terms_of
from stages.publish.params import AcceptedClash

NC = "forbids commercial use"
ITSELF = "each demands that the whole is passed on under itself"


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        # Permissive and attribution go with all that allow adaptations.
        ("MIT", "Apache-2.0", None),
        ("CC0-1.0", "CC-BY-NC-4.0", None),
        ("CC-BY-4.0", "CC-BY-SA-4.0", None),
        ("CC-BY-4.0", "GPL-3.0-only", None),
        ("ODC-By-1.0", "CC-BY-NC-SA-4.0", None),
        # Share-alike: the same one, a later version, or a listed one.
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0", None),
        ("CC-BY-SA-3.0", "CC-BY-SA-4.0", None),
        ("CC-BY-SA-1.0", "CC-BY-SA-4.0", ITSELF),
        ("CC-BY-SA-4.0", "ODbL-1.0", ITSELF),
        ("CC-BY-SA-4.0", "CDLA-Sharing-1.0", ITSELF),
        ("CC-BY-SA-4.0", "LAL-1.3", None),
        ("CC-BY-SA-4.0", "GPL-3.0-or-later", None),
        ("CC-BY-SA-4.0", "GPL-2.0-only", ITSELF),
        # Copyleft.
        ("GPL-2.0-only", "GPL-3.0-only", ITSELF),
        ("GPL-2.0-or-later", "GPL-3.0-only", None),
        ("GPL-3.0-only", "AGPL-3.0-only", None),
        ("MPL-2.0", "GPL-2.0-only", None),
        ("LGPL-2.1-only", "GPL-3.0-only", None),
        ("EUPL-1.2", "GPL-2.0-only", None),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", None),
        # Non-commercial against what must be free for all.
        ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", None),
        ("CC-BY-NC-4.0", "CC-BY-SA-4.0", NC),
        ("CC-BY-NC-4.0", "GPL-3.0-only", NC),
        ("CC-BY-NC-SA-4.0", "CC-BY-SA-4.0", ITSELF),
        ("CC-BY-NC-SA-4.0", "ODbL-1.0", ITSELF),
        # Single pairs of the list of the Free Software Foundation.
        ("Apache-2.0", "GPL-2.0-only", "patent conditions"),
        ("Apache-2.0", "GPL-3.0-only", None),
        ("BSD-4-Clause", "AGPL-3.0-only", "advertising clause"),
        # Adaptations that may not be passed on; terms that nobody has judged.
        ("CC-BY-ND-4.0", "CC-BY-ND-4.0", "exemplars are adaptations"),
        ("CC-BY-NC-ND-3.0", "CC-BY-NC-ND-3.0", "exemplars are adaptations"),
        ("LicenseRef-a", "LicenseRef-a", None),
        ("LicenseRef-a", "CC0-1.0", "the terms of LicenseRef-a are not known here"),
        ("LicenseRef-a", "Sleepycat", "the terms of LicenseRef-a and Sleepycat are not known here"),
    ],
)  # fmt: skip
def test_the_table_of_clashes(one: str, other: str, why: str | None) -> None:
    for found in (why_they_clash(one, other), why_they_clash(other, one)):
        assert (
            (found is None)
            if why is None
            else set(why.split()) <= set((found or "").replace(",", "").split())
        )


def test_every_licence_goes_with_itself_but_where_it_allows_no_adaptation() -> None:
    clashing = {one for one in TERMS if why_they_clash(one, one)}
    assert clashing == {one for one in TERMS if Term.NO_DERIVATIVES in terms_of(one)}


def test_every_licence_of_the_table_is_an_spdx_identifier() -> None:
    assert {one: alternatives(one) for one in TERMS} == {one: (frozenset({one}),) for one in TERMS}
    named = {licence for pair in AT_ODDS for licence in pair} | {*ALSO_UNDER, *HUB_NAMES}
    assert named | {one for wholes in ALSO_UNDER.values() for one in wholes} <= set(TERMS)


def declared(**licences: str) -> list[Declared]:
    return [Declared(source, licence.replace("_", " "), 1) for source, licence in licences.items()]


def test_sources_that_clash_are_named_with_their_splits_and_the_way_out() -> None:
    splits = {
        "train": declared(forum="CC-BY-SA-4.0", news="CC-BY-NC-4.0", own="MIT"),
        "validation": declared(own="MIT", news="CC-BY-NC-4.0"),
        "test": declared(forum="CC-BY-SA-4.0", news="CC-BY-NC-4.0"),
    }
    [problem] = clash_problems(clashes_of(splits, ()))
    assert str(problem) == (
        "splits train, test: licence_clash: found source forum (CC-BY-SA-4.0) and source news (CC-BY-NC-4.0): "
        "CC-BY-SA-4.0 demands that the whole may be used by all for all, and CC-BY-NC-4.0 forbids commercial use, "
        "expected licences that may be in one data set; leave a source out of compile.sources, or accept it in "
        "params.yaml, with the reason: publish.accepted_licence_clashes: "
        '[{licences: [CC-BY-NC-4.0, CC-BY-SA-4.0], reason: "..."}]'
    )


def test_a_clash_that_is_accepted_in_writing_is_kept_with_its_reason() -> None:
    splits = {"train": declared(a="CC-BY-SA-4.0", b="ODbL-1.0", c="CC-BY-ND-4.0")}
    accepted = [
        AcceptedClash(("ODbL-1.0", "CC-BY-SA-4.0"), "both are ours"),
        AcceptedClash(("CC-BY-ND-4.0",), "allowed by letter"),
    ]
    assert clashes_of(splits, accepted) == (
        Clash(
            ("CC-BY-ND-4.0",),
            "CC-BY-ND-4.0 forbids to pass on adaptations, and exemplars are adaptations",
            ("train",),
            (("c", "CC-BY-ND-4.0"),),
            "allowed by letter",
        ),
        Clash(
            ("CC-BY-SA-4.0", "ODbL-1.0"),
            ITSELF,
            ("train",),
            (("a", "CC-BY-SA-4.0"), ("b", "ODbL-1.0")),
            "both are ours",
        ),
    )
    assert clash_problems(clashes_of(splits, accepted)) == []


def test_another_clash_is_not_accepted_along() -> None:
    splits = {"train": declared(a="CC-BY-SA-4.0", b="ODbL-1.0", c="GPL-2.0-only")}
    accepted = [AcceptedClash(("CC-BY-SA-4.0", "ODbL-1.0"), "both are ours")]
    unaccepted = [one.licences for one in clashes_of(splits, accepted) if one.reason is None]
    assert unaccepted == [("CC-BY-SA-4.0", "GPL-2.0-only"), ("GPL-2.0-only", "ODbL-1.0")]


def test_clashing_sources_in_different_splits_do_not_clash() -> None:
    splits = {"train": declared(a="CC-BY-SA-4.0"), "test": declared(b="CC-BY-NC-4.0")}
    assert clashes_of(splits, ()) == ()


def test_the_choice_that_an_expression_leaves_is_made_so_that_nothing_clashes() -> None:
    splits = {"train": declared(a="CC-BY-SA-4.0", b="CC-BY-NC-4.0_OR_MIT")}
    assert clashes_of(splits, ()) == ()


def test_licences_that_apply_together_clash_within_one_source() -> None:
    [clash] = clashes_of({"train": declared(a="CC-BY-SA-4.0_AND_ODbL-1.0")}, ())
    assert clash.sources == (("a", "CC-BY-SA-4.0 AND ODbL-1.0"),)
