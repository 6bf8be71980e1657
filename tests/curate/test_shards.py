"""Neither row groups nor workers change what `curate` decides or writes."""

from __future__ import annotations

import msgspec
import pytest

from exemplars.core.records import Exemplar, Speaker, Turn
from stages.curate.params import (
    ConflictParams,
    CurateParams,
    DuplicateParams,
    LabelNoiseParams,
    OnDuplicate,
    PrivacyMode,
    PrivacyParams,
)
from tests.curate.rows import curate_exemplars, make_argument, make_row, make_turn
from tests.curate.test_curation import CALL, KEY, PARAMS

TEXT = "please call mum and plaese call dad"


def make_rows() -> list[Exemplar]:
    """Make rows of which each check finds some, with turns whose calls are far from each other."""
    mum, dad = (make_argument("who", who, TEXT) for who in ("mum", "dad"))
    torn = [
        msgspec.structs.replace(call, id=f"s:{number}9/{call.call}")
        for call, number in zip(
            make_turn("torn", TEXT, ("call", (mum,)), ("call", (dad,))), (1, 8), strict=True
        )
    ]
    said = (Turn(Speaker.USER, "is Mary Smith there?"),)
    return [
        *torn,
        make_row("11", "call my mother at home now"),
        make_row("12", "Call my mother at home now!"),
        make_row("21", "call my mother at home"),
        make_row("31", "ring her tomorow evening", "ring", group="g"),
        make_row("41", "call Mary Smith at 415-286-4371", group="g"),
        make_row("42", "tell Mary I am late", group="g", context=said),
        make_row("51", "ring my mother at home now", "ring"),
        make_row("52", "call my mother at home now", "ring"),
        make_row("61", "call <b>him</b>", group="h"),
        make_row("71", "her number?", None, reply="It is 415-286-4372, Susan Miller.", group="h"),
    ]


@pytest.mark.parametrize("mode", list(PrivacyMode))
@pytest.mark.parametrize("near", list(OnDuplicate))
def test_row_groups_change_nothing(mode: PrivacyMode, near: OnDuplicate) -> None:
    params = make_params(mode, near)
    whole = curate_exemplars(make_rows(), params, (CALL,), KEY)
    assert curate_exemplars(make_rows(), params, (CALL,), KEY, row_group=1) == whole
    assert curate_exemplars(make_rows(), params, (CALL,), KEY, row_group=5) == whole
    assert whole.report["duplicates"]["joined_groups"] > 0
    assert {item.why for item in whole.review} == {"conflict", "quality", "personal_data"}


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_change_nothing(workers: int) -> None:
    params = make_params(PrivacyMode.SURROGATE, OnDuplicate.KEEP)
    whole = curate_exemplars(make_rows(), params, (CALL,), KEY)
    assert curate_exemplars(make_rows(), params, (CALL,), KEY, row_group=2, workers=workers) == whole


def make_params(mode: PrivacyMode, near: OnDuplicate) -> CurateParams:
    return msgspec.structs.replace(
        PARAMS,
        duplicates=DuplicateParams(OnDuplicate.REJECT, near, 0.7, 60),
        conflicts=ConflictParams(context_turns=0),
        label_noise=LabelNoiseParams(enabled=False),
        privacy=PrivacyParams(mode, 0.4),
    )
