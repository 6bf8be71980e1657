from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exemplars.core.errors import UserError
from exemplars.core.records import Exemplar, Reason, Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from stages.curate import curation
from stages.curate.params import (
    ConflictParams,
    CurateParams,
    DuplicateParams,
    LabelNoiseParams,
    OnConflict,
    OnDuplicate,
    PrivacyMode,
    PrivacyParams,
    QualityFlag,
    QualityParams,
)
from stages.curate.rows import Rows
from stages.curate.steps.base import CurationStep
from tests.curate.rows import Result, curate_exemplars, make_argument, make_row, make_turn

PARAMS = CurateParams(
    duplicates=DuplicateParams(OnDuplicate.REJECT, OnDuplicate.KEEP, 0.8, 60),
    conflicts=ConflictParams(OnConflict.KEEP, 0),
    label_noise=LabelNoiseParams(True, "words", 3, 10, 1000),
    quality=QualityParams(1, 60, 0.5, (QualityFlag.MARKUP,)),
    privacy=PrivacyParams(PrivacyMode.REPORT, 0.4),
    lexicons="unused",
)
CALL = Skill("call", parameters=(Parameter("who"),))
PHONE_NUMBER = "call 415-286-4371 for me"
KEY = b"a key that the tests alone know"


def curate_rows(rows: list[Exemplar], key: bytes | None = None, **changes: object) -> Result:
    return curate_exemplars(rows, msgspec.structs.replace(PARAMS, **changes), (CALL,), key)


def test_each_decision_is_a_row_with_its_reason() -> None:
    rows = [
        make_row("1", "call mum", arguments=(make_argument("who", "mum", "call mum"),)),
        make_row("2", "Call mum!", arguments=(make_argument("who", "mum", "Call mum!"),)),
        make_row("3", "call <b>dad</b>"),
        make_row("4", PHONE_NUMBER),
    ]
    curated = curate_rows(rows, privacy=PrivacyParams(PrivacyMode.REJECT, 0.4))
    assert [row.id for row in curated.kept] == ["s:1"]
    assert [(rejection.id, rejection.reason) for rejection in curated.rejections] == [
        ("s:2", Reason.DUPLICATE_EXEMPLAR),
        ("s:3", Reason.LOW_QUALITY),
        ("s:4", Reason.PERSONAL_DATA),
    ]
    assert [rejection.message for rejection in curated.rejections] == [
        "a.md:2: the utterance and meaning are the same as those of s:1; remove one of the two",
        "a.md:3: the text is flagged as markup; correct the text, or remove it",
        "a.md:4: found personal data (phone) that no argument labels, expected none; "
        "label it as an argument, or remove it",
    ]


def test_rejected_personal_data_is_neither_in_the_ledger_nor_in_the_review_list() -> None:
    curated = curate_rows([make_row("1", PHONE_NUMBER)], privacy=PrivacyParams(PrivacyMode.REJECT, 0.4))
    assert "286" not in str(curated.rejections) + str(curated.review)


def test_surrogates_replace_unlabeled_data_everywhere() -> None:
    rows = [
        make_row("1", PHONE_NUMBER, group="g"),
        make_row("2", "yes", before=("Dial 415-286-4371?",), group="g"),
    ]
    privacy = PrivacyParams(PrivacyMode.SURROGATE, 0.4)
    curated = curate_rows(rows, KEY, privacy=privacy)
    assert "415-286-4371" not in str(curated)
    [number] = [word for word in curated.kept[0].utterance.split() if "-" in word]
    assert curated.kept[1].context[0].utterance == f"Dial {number}?"
    assert curate_rows(rows, KEY, privacy=privacy) == curated
    assert curate_rows(rows, b"another key of the tests, longer", privacy=privacy) != curated


def test_rows_with_unlabeled_personal_data_in_their_context_are_rejected() -> None:
    number = make_argument("who", "415-286-4371", PHONE_NUMBER)
    rows = [
        make_row("1", "yes", before=("shall I call 415-286-4371?",)),
        make_row("2", "no", before=("shall I call mum?", "or 415-286-4371?"), group="labeled"),
        make_row("3", PHONE_NUMBER, arguments=(number,), group="labeled"),
        make_row("4", "call mum"),
    ]
    curated = curate_rows(rows, privacy=PrivacyParams(PrivacyMode.REJECT, 0.4))
    assert [row.id for row in curated.kept] == ["s:2", "s:3", "s:4"]
    [rejection] = curated.rejections
    assert (rejection.id, rejection.reason, rejection.utterance, rejection.message) == (
        "s:1",
        Reason.PERSONAL_DATA,
        None,
        "a.md:1: found personal data (phone) in the context that no argument labels, expected none; "
        "label it as an argument, or remove it",
    )
    report = curated.report["personal_data"]
    assert report["unlabelled_in_context"] == {"phone": 1}


def test_personal_data_in_a_reply_or_in_a_tools_result_is_found() -> None:
    result = (Turn(Speaker.USER, "her number?"), Turn(Speaker.TOOL, '{"phone": "415-286-4372"}'))
    rows = [
        make_row("1", "her number?", None, reply="It is 415-286-4371."),
        make_row("2", "thanks", None, context=result),
        make_row("3", "call mum"),
    ]
    reported = curate_rows(rows)
    assert [(item.id, item.why, item.detail) for item in reported.review] == [
        ("s:1", "personal_data", "phone")
    ]
    assert reported.report["personal_data"]["unlabelled"] == {"phone": 1}
    rejected = curate_rows(rows, privacy=PrivacyParams(PrivacyMode.REJECT, 0.4))
    assert {rejection.id: rejection.message.partition(",")[0] for rejection in rejected.rejections} == {
        "s:1": "a.md:1: found personal data (phone) in the reply that no argument labels",
        "s:2": "a.md:2: found personal data (phone) in the context that no argument labels",
    }
    replaced = curate_rows(rows, KEY, privacy=PrivacyParams(PrivacyMode.SURROGATE, 0.4))
    assert "286-437" not in str(replaced)
    assert [row.id for row in replaced.kept] == ["s:1", "s:2", "s:3"]


def test_a_turn_leaves_with_all_of_its_calls() -> None:
    text = "please call mum at home"
    mum = (make_argument("who", "mum", text),)
    rows = [
        *make_turn("1", text, ("call", mum), ("ring", ())),
        *make_turn("2", f"{text} now", ("ring", ()), ("call", mum)),
        *make_turn("3", "call <b>mum</b>", ("call", ()), ("ring", ())),
    ]
    near = DuplicateParams(OnDuplicate.REJECT, OnDuplicate.REJECT, 0.8, 60)
    curated = curate_rows(rows, duplicates=near)
    assert [row.id for row in curated.kept] == ["s:1/0", "s:1/1"]
    assert [(rejection.id, rejection.reason) for rejection in curated.rejections] == [
        ("s:2/0", Reason.NEAR_DUPLICATE),
        ("s:2/1", Reason.NEAR_DUPLICATE),
        ("s:3/0", Reason.LOW_QUALITY),
        ("s:3/1", Reason.LOW_QUALITY),
    ]


@pytest.mark.parametrize("mode", [PrivacyMode.SURROGATE, PrivacyMode.REJECT])
def test_texts_with_personal_data_remain_neither_in_the_ledger_nor_in_the_review_list(
    mode: PrivacyMode,
) -> None:
    rows = [
        make_row("1", "tell Mary McDonald I am laet", group="g"),
        make_row("2", "tell Mary McDonald I am laet", group="g"),  # A repeat.
        make_row("3", "tell Mary McDonald I am laet", skill="ring", group="h"),  # A conflict.
        make_row("4", "<b>Susan O'Brien</b>", group="i"),  # Markup, which quality rejects.
        make_row("5", "play the next song", group="j"),
        make_row("6", "play the next song", group="j"),
    ]
    curated = curate_rows(rows, KEY, privacy=PrivacyParams(mode, 0.4))
    shown = str((curated.rejections, curated.review))
    assert [name for name in ("Mary", "McDonald", "Susan", "O'Brien") if name in shown] == []
    texts = {rejection.id: rejection.utterance for rejection in curated.rejections}
    assert (texts["s:2"], texts["s:4"], texts["s:6"]) == (None, None, "play the next song")


def test_surrogates_without_a_key_fail() -> None:
    privacy = PrivacyParams(PrivacyMode.SURROGATE, 0.4)
    with pytest.raises(ValueError, match=r"privacy\.mode is surrogate, and there is no key"):
        curate_rows([make_row("1", PHONE_NUMBER)], privacy=privacy)


def test_near_duplicates_are_joined_into_one_group_or_rejected() -> None:
    texts = ("please call my mother at home", "please call my mother at home now")
    rows = [make_row(str(number), text) for number, text in enumerate(texts)]
    joined = curate_rows(rows)
    assert [row.group for row in joined.kept] == ["s:0", "s:0"]
    assert [pair.column for pair in joined.pairs] == ["exemplar", "utterance"]
    rejecting = curate_rows(rows, duplicates=DuplicateParams(OnDuplicate.REJECT, OnDuplicate.REJECT, 0.8, 60))
    assert [(rejection.id, rejection.reason, rejection.message) for rejection in rejecting.rejections] == [
        (
            "s:1",
            Reason.NEAR_DUPLICATE,
            "a.md:1: the text is nearly that of s:0, with the same meaning; reword it, or remove it",
        )
    ]


def test_conflicts_are_listed_with_both_sides() -> None:
    curated = curate_rows([make_row("1", "call mum", "call"), make_row("2", "Call mum", "ring")])
    assert [(item.id, item.why, item.path, item.locator) for item in curated.review] == [
        ("s:1", "conflict", "a.md", "1"),
        ("s:2", "conflict", "a.md", "2"),
    ]


def test_an_empty_dataset_is_curated_to_an_honest_report() -> None:
    curated = curate_rows([])
    report = curated.report
    assert (report["exemplars"], report["kept"], report["review"]) == (0, 0, {})
    assert report["coverage"] == {
        "skills_without_rows": 1,
        "thin_skills": 1,
        "thin_parameters": 1,
        "thin_values": 0,
    }
    assert curated.representativeness.slices == []


def test_the_figures_of_a_new_step_are_in_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def count_letters(rows: Rows, state: curation.Curation) -> Rows:
        state.figures["letters"] = sum(len(row.utterance) for row in rows)
        return rows

    monkeypatch.setattr(curation, "STEPS", (*curation.STEPS, CurationStep("letters", count_letters)))
    assert curate_rows([make_row("1", "call")]).report["letters"] == 4


def test_a_step_that_loses_a_row_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        curation, "STEPS", (CurationStep("loss", lambda rows, _: rows.select(rows.numbers > 0)),)
    )
    with pytest.raises(UserError, match="1 records in, 0 kept and 0 rejected"):
        curate_rows([make_row("1", "call")])


@pytest.mark.parametrize("text", ["👍", "…", "👩‍👩‍👧 👍🏽"])
def test_a_dataset_of_emoji_alone_is_curated(text: str) -> None:
    assert [row.utterance for row in curate_rows([make_row("1", text)]).kept] == [text]


TEXTS = st.sampled_from(
    [
        "call mum",
        "Call mum!",
        "call mum now please",
        "call mum now, please!",
        PHONE_NUMBER,
        "<br> call",
        "um",
        "👍",
        "",
    ]
)


@settings(max_examples=25)
@given(
    turns=st.lists(st.tuples(TEXTS, st.lists(st.sampled_from(["call", "ring"]), max_size=3)), max_size=6),
    near=st.sampled_from(OnDuplicate),
    conflict=st.sampled_from(OnConflict),
    mode=st.sampled_from(PrivacyMode),
)
def test_every_row_is_kept_or_rejected_once_and_no_turn_is_torn(
    turns: list[tuple[str, list[str]]], near: OnDuplicate, conflict: OnConflict, mode: PrivacyMode
) -> None:
    exemplars = []
    for number, (text, skills) in enumerate(turns):
        exemplars += make_turn(str(number), text, *((skill, ()) for skill in skills))
        exemplars += [] if skills else [make_row(str(number), text, None, reply=PHONE_NUMBER)]
    curated = curate_rows(
        exemplars,
        KEY,
        duplicates=DuplicateParams(OnDuplicate.REJECT, near, 0.8, 60),
        conflicts=ConflictParams(conflict, 0),
        privacy=PrivacyParams(mode, 0.4),
    )
    ids = sorted([row.id for row in curated.kept] + [rejection.id for rejection in curated.rejections])
    assert ids == [row.id for row in exemplars]
    kept, all_rows = (Counter(row.turn for row in rows) for rows in (curated.kept, exemplars))
    assert {turn: all_rows[turn] for turn in kept} == dict(kept)
    assert len({(row.turn, row.utterance, row.group) for row in curated.kept}) == len(kept)
