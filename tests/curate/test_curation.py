from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exemplars.core.records import Exemplar, Reason
from exemplars.dataset.catalog import Parameter, Skill
from stages.curate.curation import Curated, curate
from stages.curate.params import (
    Conflicts,
    CurateParams,
    Duplicates,
    LabelNoise,
    OnConflict,
    OnDuplicate,
    Privacy,
    PrivacyMode,
    Quality,
)
from stages.curate.quality import Flag
from stages.curate.report import as_document, curate_report
from tests.curate.rows import located, row
from tests.curate.test_slices import LEXICONS

PARAMS = CurateParams(
    duplicates=Duplicates(OnDuplicate.REJECT, OnDuplicate.KEEP, 0.8, 60),
    conflicts=Conflicts(OnConflict.KEEP, 0),
    label_noise=LabelNoise(True, "words", 3, 10, 1000),
    quality=Quality(1, 60, 0.5, (Flag.MARKUP,)),
    privacy=Privacy(PrivacyMode.REPORT, 0.4),
    lexicons="unused",
)
CALL = Skill("call", parameters=(Parameter("who"),))
LEAK = "call 415-286-4371 for me"


def curated(rows: list[Exemplar], key: bytes | None = None, **changes: object) -> Curated:
    params = msgspec.structs.replace(PARAMS, **changes)
    return curate(sorted(rows, key=lambda one: one.id), [CALL], LEXICONS, params, key, lambda _: None)


def test_each_decision_is_a_row_with_its_reason() -> None:
    rows = [
        row("1", "call mum", arguments=(located("who", "mum", "call mum"),)),
        row("2", "Call mum!", arguments=(located("who", "mum", "Call mum!"),)),
        row("3", "call <b>dad</b>"),
        row("4", LEAK),
    ]
    done = curated(rows, privacy=Privacy(PrivacyMode.REJECT, 0.4))
    assert [one.id for one in done.kept] == ["s:1"]
    assert [(one.id, one.reason) for one in done.rejections] == [
        ("s:2", Reason.DUPLICATE_EXEMPLAR),
        ("s:3", Reason.LOW_QUALITY),
        ("s:4", Reason.PERSONAL_DATA),
    ]
    assert done.rejections[0].message == (
        "a.md#2: found the utterance and meaning of s:1 again, expected each once; remove one of them"
    )


def test_personal_data_does_not_stand_in_the_ledger_or_the_list_when_it_is_taken_out() -> None:
    done = curated([row("1", LEAK)], privacy=Privacy(PrivacyMode.REJECT, 0.4))
    assert "286" not in str(done.rejections) + str(done.review)


def test_surrogates_take_the_place_of_unlabelled_data_everywhere() -> None:
    rows = [row("1", LEAK, group="g"), row("2", "yes", before=("Dial 415-286-4371?",), group="g")]
    mode = Privacy(PrivacyMode.SURROGATE, 0.4)
    done = curated(rows, b"a key that the tests alone know", privacy=mode)
    assert "415-286-4371" not in str(done)
    [number] = [word for word in done.kept[0].utterance.split() if "-" in word]
    assert done.kept[1].context[0].utterance == f"Dial {number}?"
    assert curated(rows, b"a key that the tests alone know", privacy=mode) == done
    assert curated(rows, b"another key of the tests, longer", privacy=mode) != done


def test_near_duplicates_become_one_group_or_go() -> None:
    texts = ("please call my mother at home", "please call my mother at home now")
    rows = [row(str(number), text) for number, text in enumerate(texts)]
    kept = curated(rows)
    assert [one.group for one in kept.kept] == ["s:0", "s:0"]
    assert [one.column for one in kept.pairs] == ["exemplar", "utterance"]
    gone = curated(rows, duplicates=Duplicates(OnDuplicate.REJECT, OnDuplicate.REJECT, 0.8, 60))
    assert [(one.id, one.reason) for one in gone.rejections] == [("s:1", Reason.NEAR_DUPLICATE)]


def test_conflicts_are_listed_with_both_sides() -> None:
    done = curated([row("1", "call mum", "call"), row("2", "Call mum", "ring")])
    assert [(one.id, one.why, one.path, one.locator) for one in done.review] == [
        ("s:1", "conflict", "a.md", "1"),
        ("s:2", "conflict", "a.md", "2"),
    ]


def test_an_empty_data_set_is_curated_to_an_honest_report() -> None:
    done = curated([])
    report = curate_report(done)
    assert (report["exemplars"], report["kept"], report["review"]) == (0, 0, {})
    assert report["coverage"] == {
        "skills_without_rows": 1,
        "thin_skills": 1,
        "thin_parameters": 1,
        "thin_values": 0,
    }
    assert as_document(done.representativeness)["slices"] == []


@pytest.mark.parametrize("text", ["👍", "…", "👩‍👩‍👧 👍🏽"])
def test_a_data_set_of_emoji_alone_is_curated(text: str) -> None:
    assert [one.utterance for one in curated([row("1", text)]).kept] == [text]


TEXTS = st.sampled_from(
    [
        "call mum",
        "Call mum!",
        "call mum now please",
        "call mum now, please!",
        LEAK,
        "<br> call",
        "um",
        "👍",
        "",
    ]
)


@settings(max_examples=25)
@given(
    rows=st.lists(st.tuples(TEXTS, st.sampled_from(["call", "ring", None])), max_size=8),
    near=st.sampled_from(OnDuplicate),
    conflict=st.sampled_from(OnConflict),
    mode=st.sampled_from(PrivacyMode),
)
def test_every_row_is_kept_or_rejected_once(
    rows: list[tuple[str, str | None]], near: OnDuplicate, conflict: OnConflict, mode: PrivacyMode
) -> None:
    given_rows = [row(str(number), text, skill) for number, (text, skill) in enumerate(rows)]
    done = curated(
        given_rows,
        b"a key that the tests alone know",
        duplicates=Duplicates(OnDuplicate.REJECT, near, 0.8, 60),
        conflicts=Conflicts(conflict, 0),
        privacy=Privacy(mode, 0.4),
    )
    ids = sorted([one.id for one in done.kept] + [one.id for one in done.rejections])
    assert ids == [one.id for one in given_rows]
