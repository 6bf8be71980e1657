"""Rows of sources with `review: required`: they count once a person approves them, and displace no other row."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exemplars.core.records import Argument, Exemplar, Reason
from exemplars.core.reviews import Decision, Review
from stages.curate.params import (
    ConflictParams,
    CurateParams,
    DuplicateParams,
    LabelNoiseParams,
    OnConflict,
    OnDuplicate,
    PrivacyMode,
    PrivacyParams,
)
from stages.curate.report import build_curate_metrics
from stages.curate.verdicts import Verdicts
from tests.curate.reviews import make_review
from tests.curate.rows import Result, curate_exemplars, make_argument, make_row
from tests.curate.test_curation import CALL, PARAMS

STRICT = msgspec.structs.replace(
    PARAMS,
    duplicates=DuplicateParams(OnDuplicate.REJECT, OnDuplicate.REJECT, 0.8, 60),
    conflicts=ConflictParams(OnConflict.MAJORITY, 0),
    privacy=PrivacyParams(PrivacyMode.REJECT, 0.4),
    label_noise=LabelNoiseParams(enabled=False),
)
"""Parameters under which every check rejects."""


def make_candidate(
    name: str, utterance: str, skill: str | None = "call", who: str = "", split: str | None = "train"
) -> Exemplar:
    """Make a row of the source `g`, whose ids come before those of `s`."""
    arguments: tuple[Argument, ...] = (make_argument("who", who, utterance),) if who else ()
    row = make_row(name, utterance, skill, arguments, split=split)
    return msgspec.structs.replace(row, id=f"g:{name}", turn=f"g:{name}", group=f"g:{name}", source="g")


def make_plain(name: str, utterance: str, skill: str | None = "call", who: str = "") -> Exemplar:
    return make_row(name, utterance, skill, (make_argument("who", who, utterance),) if who else ())


def curate_candidates(rows: list[Exemplar], *reviews: Review, params: CurateParams = PARAMS) -> Result:
    return curate_exemplars(rows, params, (CALL,), verdicts=Verdicts(reviews), candidate_sources={"g"})


def list_reasons(curated: Result) -> dict[str, Reason]:
    return {rejection.id: rejection.reason for rejection in curated.rejections}


def approve(*rows: Exemplar) -> list[Review]:
    return [make_review(number, row) for number, row in enumerate(rows, 1)]


SOON = "because the train to the city is late again and nobody knows when the next one comes"
PLAIN = make_plain("1", f"call my mum {SOON}", who="mum")
NEW = make_candidate("1", "could you ring up the dentist", who="dentist")


def test_a_candidate_is_pending_until_somebody_approves_it() -> None:
    curated = curate_candidates([PLAIN, NEW])
    assert [row.id for row in curated.kept] == ["s:1"]
    assert list_reasons(curated) == {"g:1": Reason.PENDING_REVIEW}
    assert curated.rejections[0].message == (
        "a.md:1: nobody has approved it, and its source has `review: required`; decide on it: "
        "`exemplars review --queue generated`"
    )
    approved = curate_candidates([PLAIN, NEW], *approve(NEW))
    assert [row.id for row in approved.kept] == ["g:1", "s:1"]
    assert list_reasons(approved) == {}


def test_pending_rows_are_to_review() -> None:
    report = curate_candidates([PLAIN, NEW]).report
    assert report["candidates"] == {
        "sources": ["g"],
        "kept": 0,
        "reviewers": {"g": 0},
        "rejected": {"pending_review": 1},
    }
    assert build_curate_metrics(report)["to_review"] == 1


@pytest.mark.parametrize(
    ("decisions", "reason"),
    [
        ([make_review(1, NEW, Decision.REJECTED)], Reason.REJECTED_BY_REVIEWER),
        ([make_review(1, NEW, digest="0" * 64)], Reason.PENDING_REVIEW),
        (
            [make_review(1, NEW), make_review(2, NEW, Decision.REJECTED, "bob")],
            Reason.PENDING_REVIEW,
        ),
    ],
)
def test_only_an_approval_of_the_row_as_it_is_counts(decisions: list[Review], reason: Reason) -> None:
    assert list_reasons(curate_candidates([PLAIN, NEW], *decisions)) == {"g:1": reason}


@pytest.mark.parametrize("is_approved", [False, True])
@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (make_candidate("1", f"Call my mum, {SOON}!", who="mum"), Reason.DUPLICATE_EXEMPLAR),
        (make_candidate("1", f"do call my mum {SOON}", who="mum"), Reason.NEAR_DUPLICATE),
        (make_candidate("1", f"call my mum {SOON}", None), Reason.CONFLICTING_LABEL),
        (make_candidate("1", "call <b>dad</b>"), Reason.LOW_QUALITY),
    ],
)
def test_a_candidate_that_counts_for_nothing_says_why(
    candidate: Exemplar, reason: Reason, is_approved: bool
) -> None:
    curated = curate_candidates([PLAIN, candidate], *(approve(candidate) if is_approved else ()))
    assert list_reasons(curated) == {"g:1": reason}
    assert [row.id for row in curated.kept] == ["s:1"]


def test_a_candidate_with_another_value_is_no_near_duplicate() -> None:
    other = make_candidate("1", f"call my dad {SOON}", who="dad")
    assert list_reasons(curate_candidates([PLAIN, other])) == {"g:1": Reason.PENDING_REVIEW}


def test_personal_data_in_a_candidate_rejects_it_where_it_rejects_any_row() -> None:
    candidate = make_candidate("1", "call 415-286-4371 for me")
    assert list_reasons(curate_candidates([PLAIN, candidate], params=STRICT)) == {"g:1": Reason.PERSONAL_DATA}
    [rejection] = curate_candidates([PLAIN, candidate], params=STRICT).rejections
    assert rejection.utterance is None


def test_of_pending_candidates_that_repeat_each_other_the_first_is_shown() -> None:
    again = make_candidate("2", "Could you ring up the dentist?", who="dentist")
    rows = [PLAIN, NEW, again]
    assert list_reasons(curate_candidates(rows)) == {
        "g:1": Reason.PENDING_REVIEW,
        "g:2": Reason.DUPLICATE_EXEMPLAR,
    }
    assert list_reasons(curate_candidates(rows, *approve(again))) == {"g:1": Reason.DUPLICATE_EXEMPLAR}
    assert list_reasons(curate_candidates(rows, make_review(1, NEW, Decision.REJECTED))) == {
        "g:1": Reason.REJECTED_BY_REVIEWER,
        "g:2": Reason.PENDING_REVIEW,
    }


def test_a_candidate_is_not_lost_to_one_that_contradicts_a_row() -> None:
    wrong = make_candidate("1", f"call my mum {SOON}", None)
    near = make_candidate("2", f"do call my mum {SOON}", None)
    assert list_reasons(curate_candidates([PLAIN, wrong, near])) == {
        "g:1": Reason.CONFLICTING_LABEL,
        "g:2": Reason.PENDING_REVIEW,
    }


def test_an_approved_candidate_joins_the_group_of_a_row_that_is_nearly_the_same() -> None:
    other = make_candidate("1", f"call my dad {SOON}", who="dad", split=None)
    curated = curate_candidates([PLAIN, other], *approve(other))
    assert {row.id: row.group for row in curated.kept} == {"g:1": "s:1", "s:1": "s:1"}
    prescribed = make_candidate("1", f"call my dad {SOON}", who="dad")
    curated = curate_candidates([PLAIN, prescribed], *approve(prescribed))
    assert {row.id: row.group for row in curated.kept} == {"g:1": "g:1", "s:1": "s:1"}
    assert [pair.column for pair in curated.pairs] == ["utterance"]


def test_a_turn_counts_once_all_of_its_calls_are_approved() -> None:
    text = "ring up the dentist and the plumber"
    calls = [
        msgspec.structs.replace(make_candidate(f"1/{call}", text, who=who), turn="g:1", call=call)
        for call, who in enumerate(("dentist", "plumber"))
    ]
    assert set(list_reasons(curate_candidates(calls, *approve(calls[0]))).values()) == {Reason.PENDING_REVIEW}
    assert len(curate_candidates(calls, *approve(*calls)).kept) == 2


TEXTS = [
    "call mum",
    "Call mum!",
    "call mum now",
    "call mum right now",
    "call dad now",
    "stop",
    "call <b>",
    "415-286-4371",
]


@settings(max_examples=25)
@given(
    plain=st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from(["call", None])), max_size=4),
    candidates=st.lists(
        st.tuples(st.sampled_from(TEXTS), st.sampled_from(["call", None]), st.booleans()), max_size=4
    ),
    params=st.sampled_from(
        [msgspec.structs.replace(PARAMS, label_noise=LabelNoiseParams(enabled=False)), STRICT]
    ),
)
def test_no_row_is_lost_and_candidates_change_nothing_for_other_rows(
    plain: list[tuple[str, str | None]], candidates: list[tuple[str, str | None, bool]], params: CurateParams
) -> None:
    rows = [make_plain(str(number), *row) for number, row in enumerate(plain)]
    extra = [make_candidate(str(number), text, skill) for number, (text, skill, _) in enumerate(candidates)]
    approved = approve(
        *(row for row, (*_, is_approved) in zip(extra, candidates, strict=True) if is_approved)
    )
    alone = curate_candidates(rows, params=params)
    together = curate_candidates([*rows, *extra], *approved, params=params)
    assert len(together.kept) + len(together.rejections) == len(rows) + len(extra)
    assert [row for row in together.kept if row.source == "s"] == alone.kept
    assert [row for row in together.rejections if row.source == "s"] == alone.rejections
    assert {row.id for row in together.kept if row.source == "g"} <= {review.row for review in approved}
