"""Decisions as data: lines are parsed or described, and the latest of each reviewer counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.errors import UserError
from exemplars.core.records import Mode
from exemplars.core.reviews import (
    Decision,
    Resolution,
    Review,
    ReviewedArgument,
    ReviewedRow,
    encode_review,
    parse_reviews,
    resolve_decisions,
)

DIGEST = "d" * 64
OTHER = "e" * 64
AFTER = ReviewedRow(
    "call 😀 Bob", "call", Mode.NORMAL, (ReviewedArgument("contact", "Bob", "Bob", start=7, end=10),)
)


def make_review(number: int, **changes: Any) -> Review:
    fields = {
        "decision_id": f"{number:032x}",
        "row": "s:a.md#1",
        "digest": DIGEST,
        "decision": Decision.APPROVED,
        "reviewer": "ada",
        "time": f"2026-11-27T20:00:{number:02}Z",
    }
    return Review(**{**fields, **changes})


def write_line(**changes: Any) -> bytes:
    line = json.loads(encode_review(make_review(1))) | changes
    return json.dumps({key: value for key, value in line.items() if value != "absent"}).encode()


def test_lines_become_the_decisions_that_were_encoded() -> None:
    reviews = (
        make_review(1, queue="conflicts", note="clear"),
        make_review(2, decision=Decision.EDITED, before=AFTER, after=AFTER),
        make_review(3, decision=Decision.WITHDRAWN, withdraws=f"{2:032x}"),
    )
    assert parse_reviews(b"\n" + b"\n".join(map(encode_review, reviews))) == reviews


def test_a_file_without_decisions_is_empty() -> None:
    assert parse_reviews(b"\n") == ()


def test_every_broken_line_is_described_with_its_place() -> None:
    data = b"\n".join([write_line(), b'{"version": 1, "row"', write_line(decision="maybe"), b"[]"])
    with pytest.raises(UserError) as error:
        parse_reviews(data)
    assert [str(problem) for problem in error.value.diagnostics] == [
        "data/raw/reviews.jsonl:2: malformed_review: found a line that is not JSON (Input data was truncated), "
        "expected a decision; write a line as docs/review.md describes it, or remove the line",
        "data/raw/reviews.jsonl:3: malformed_review: found Invalid enum value 'maybe' - at `$.decision`, expected a "
        "decision; write a line as docs/review.md describes it, or remove the line",
        "data/raw/reviews.jsonl:4: malformed_review: found Expected `object`, got `array`, expected a decision; write a "
        "line as docs/review.md describes it, or remove the line",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, r"other_version: found version '2', expected version 1; install the version"),
        ({"version": "1"}, r"other_version: found version '\"1\"', expected version 1"),
        ({"decision_id": "7"}, r"Expected `str` matching regex"),
        ({"digest": "absent"}, r"missing required field `digest`"),
        ({"color": "red"}, r"unknown field `color`"),
        ({"reviewer": " "}, r"found a decision without a reviewer, expected a decision; name the reviewer"),
        ({"row": ""}, r"found a decision without a row"),
        ({"time": "yesterday"}, r"found the time 'yesterday', expected a decision; write it as 2026-"),
        ({"decision": "edited"}, r"found the decision 'edited' without `after`"),
        ({"after": {"utterance": "a", "skill": None, "mode": "none"}}, r"'approved' with `after`"),
        ({"decision": "withdrawn"}, r"found the decision 'withdrawn' without `withdraws`"),
        ({"withdraws": "0" * 32}, r"found the decision 'approved' with `withdraws`"),
        ({"decision": "withdrawn", "withdraws": "0" * 32}, r"withdraws 0{32}, which no earlier line has"),
    ],
)
def test_an_unsound_line_is_described(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_reviews(write_line(**changes))


def test_an_id_counts_once() -> None:
    with pytest.raises(
        UserError, match=r"jsonl:3: .* the decision_id 0{31}1 a second time, expected a decision; remove one"
    ):
        parse_reviews(write_line() + b"\n\n" + write_line())


def test_a_key_that_is_there_twice_is_described() -> None:
    line = write_line().replace(b'"row"', b'"row": "s:b.md#1", "row"')
    with pytest.raises(UserError, match=r"found the key 'row' twice in one object, expected a decision"):
        parse_reviews(line)


def test_nobody_withdraws_the_decision_of_another_reviewer() -> None:
    withdrawal = make_review(2, decision=Decision.WITHDRAWN, withdraws=f"{1:032x}", reviewer="bob")
    with pytest.raises(
        UserError, match=r"found 'bob' withdraws a decision of 'ada', expected a decision; leave"
    ):
        parse_reviews(encode_review(make_review(1)) + encode_review(withdrawal))


def test_the_latest_decision_of_each_reviewer_counts() -> None:
    first, second = make_review(1), make_review(2, decision=Decision.REJECTED)
    other = make_review(3, decision=Decision.REJECTED, reviewer="bob")
    assert resolve_decisions([first, second, other]) == {("s:a.md#1", DIGEST): Resolution((second, other))}


def test_a_withdrawn_decision_gives_way_to_the_one_before() -> None:
    first, second = make_review(1), make_review(2, decision=Decision.REJECTED)
    withdrawal = make_review(3, decision=Decision.WITHDRAWN, withdraws=second.decision_id)
    assert resolve_decisions([first, second, withdrawal]) == {("s:a.md#1", DIGEST): Resolution((first,))}


def test_decisions_on_another_content_are_apart() -> None:
    first, second = make_review(1), make_review(2, digest=OTHER)
    assert resolve_decisions([first, second]) == {
        ("s:a.md#1", DIGEST): Resolution((first,)),
        ("s:a.md#1", OTHER): Resolution((second,)),
    }


def test_reviewers_agree_if_they_decide_the_same() -> None:
    edit = make_review(1, decision=Decision.EDITED, after=AFTER)
    same = make_review(2, decision=Decision.EDITED, after=AFTER, reviewer="bob", note="me too")
    different = make_review(
        3, decision=Decision.EDITED, after=ReviewedRow("no", None, Mode.NONE), reviewer="eve"
    )
    assert Resolution((edit, same)).agreed == edit
    assert Resolution((edit, same, different)).agreed is None
    assert Resolution((make_review(4), edit)).agreed is None


@given(st.permutations(range(4)))
def test_the_order_of_lines_does_not_matter_unless_times_are_equal(order: list[int]) -> None:
    reviews = [
        make_review(0),
        make_review(1, decision=Decision.REJECTED),
        make_review(2, reviewer="bob"),
        make_review(3, decision=Decision.REJECTED, reviewer="bob"),
    ]
    assert resolve_decisions([reviews[index] for index in order]) == resolve_decisions(reviews)
