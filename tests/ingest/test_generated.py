"""Generated answers, read: what becomes a row, what is rejected and why, and what erasure leaves of it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.audit.erasure.redaction import redact_generated
from exemplars.core.records import REDACTED, Mode, Reason, Record
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.generated_answers import (
    Cell,
    GeneratedAnswer,
    encode_answer,
    find_examples,
    parse_answer,
)
from exemplars.dataset.parameters import Parameter
from stages.ingest.generated import read_generated_file
from stages.ingest.reading import Reading, SourceInfo

SOURCE = SourceInfo("generated", "CC0-1.0")
CALL = Skill(
    "call",
    parameters=(
        Parameter("contact", required=True),
        Parameter("device", enum=("mobile", "home")),
        Parameter("times", type="integer"),
    ),
)
RING = {
    "utterance": "ring Ada twice",
    "template": "ring <contact> <times>",
    "skill": "call",
    "arguments": {"contact": "Ada", "device": None, "times": 2},
}
DIAL = {
    "utterance": "dial Bo",
    "template": "dial <contact>",
    "skill": "call",
    "arguments": {"contact": "Bo", "device": None, "times": None},
}


def make_line(answer: str | None, **fields: Any) -> bytes:
    return encode_answer(
        GeneratedAnswer(
            request_id="0" * 64,
            time="2026-11-27T20:00:00Z",
            host="127.0.0.1:8000",
            model="m",
            cell=Cell("call", ("contact",)),
            examples=2,
            tool=build_tool_definition(CALL),
            answer=answer,
            **fields,
        )
    )


def read(*examples: dict[str, Any]) -> Reading:
    return read_generated_file(SOURCE, "m.jsonl", make_line(json.dumps({"examples": examples})))


def reasons(reading: Reading) -> list[tuple[str, Reason]]:
    return [(rejection.id, rejection.reason) for rejection in reading.rejections]


def test_an_example_becomes_a_train_row_with_the_spans_of_its_template() -> None:
    reading = read(RING, DIAL)
    assert reading.rejections == ()
    assert reading.skills == ()  # What a model calls does not become a part of the catalog.
    first, second = reading.records
    assert (first.id, second.id) == (
        "generated:m.jsonl#1/answer/examples/0",
        "generated:m.jsonl#1/answer/examples/1",
    )
    assert {record.split for record in reading.records} == {"train"}
    assert (first.mode, first.exemplar) == (Mode.NORMAL, "ring <contact> <times>")
    assert [(label.slot, label.value, label.start, label.end) for label in first.arguments] == [
        ("contact", "Ada", 5, 8),
        ("times", "2", 9, 14),
    ]
    assert [label.slot for label in second.arguments] == ["contact"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"skill": "text"}, Reason.UNKNOWN_SKILL),
        ({"skill": None}, Reason.UNKNOWN_SKILL),
        ({"template": "phone <contact>"}, Reason.EXEMPLAR_MISMATCH),
        ({"template": None}, Reason.EXEMPLAR_MISMATCH),
        ({"arguments": {"contact": None, "device": "home", "times": None}}, Reason.INVALID_VALUE),
        ({"arguments": {"device": "home"}, "template": "dial Bo"}, Reason.MISSING_ARGUMENT),
        ({"utterance": "  ", "template": "  ", "arguments": {"contact": "x"}}, Reason.MALFORMED_RECORD),
        ({"note": "mine"}, Reason.MALFORMED_RECORD),
        ({"utterance": 3}, Reason.MALFORMED_RECORD),
    ],
)
def test_a_wrong_example_is_rejected_and_the_others_are_kept(change: dict[str, Any], reason: Reason) -> None:
    reading = read({**DIAL, **change}, RING)
    assert reasons(reading) == [("generated:m.jsonl#1/answer/examples/0", reason)]
    assert [record.id for record in reading.records] == ["generated:m.jsonl#1/answer/examples/1"]


@pytest.mark.parametrize(
    ("answer", "fields", "reason", "kept"),
    [
        (None, {"refusal": "I cannot."}, Reason.NO_ANSWER, 0),
        ("Sure! Here they are:", {}, Reason.MALFORMED_RECORD, 0),
        ('{"examples": []}', {}, Reason.MALFORMED_RECORD, 0),
        ('{"examples": [3]}', {}, Reason.MALFORMED_RECORD, 0),
        (json.dumps({"examples": [RING, DIAL]})[:-30], {"finish_reason": "length"}, Reason.NO_ANSWER, 1),
        (json.dumps({"examples": [RING, DIAL]})[:-1], {}, Reason.MALFORMED_RECORD, 2),
    ],
)
def test_an_answer_that_is_not_whole_keeps_its_whole_examples(
    answer: str | None, fields: dict[str, Any], reason: Reason, kept: int
) -> None:
    reading = read_generated_file(SOURCE, "m.jsonl", make_line(answer, **fields))
    assert len(reading.records) == kept
    assert reasons(reading) == [(f"generated:m.jsonl#1/answer/examples/{kept}", reason)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "not a generated answer of this version: input data was truncated"),
        (make_line("").replace(b'"version":1', b'"version":2'), "not a generated answer of this version"),
        (
            make_line("").replace(b'"type":"function"', b'"type":3').replace(b'"name":"call"', b'"name":4'),
            "`tool` is no",
        ),
    ],
)
def test_a_line_that_is_no_answer_is_rejected(line: bytes, message: str) -> None:
    reading = read_generated_file(
        SOURCE, "m.jsonl", line.strip() + b"\n" + make_line(json.dumps({"examples": [RING]}))
    )
    [rejection] = reading.rejections
    assert (rejection.id, rejection.reason) == ("generated:m.jsonl#1", Reason.MALFORMED_RECORD)
    assert message in rejection.message
    assert len(reading.records) == 1


def test_an_erased_example_leaves_no_text_and_the_others_keep_their_ids() -> None:
    data = make_line(json.dumps({"examples": [RING, DIAL]}, indent=1))
    redacted = redact_generated(data, ["1/answer/examples/0"])
    assert b"Ada" not in redacted
    assert redact_generated(redacted, ["1/answer/examples/0"]) == redacted
    erased, kept = read_generated_file(SOURCE, "m.jsonl", redacted).records
    assert (erased.id, erased.utterance) == ("generated:m.jsonl#1/answer/examples/0", REDACTED)
    assert (kept.id, kept.utterance) == ("generated:m.jsonl#1/answer/examples/1", "dial Bo")


@pytest.mark.parametrize(
    ("line", "locator"),
    [
        (make_line("Sure, Ada!"), "1/answer/examples/0"),
        (
            make_line(json.dumps({"examples": [DIAL, RING]})[:-5], finish_reason="length"),
            "1/answer/examples/1",
        ),
        (make_line(None, refusal="Ada is a person."), "1/answer/examples/0"),
        (b'{"answer": "Ada"\n', "1"),
    ],
)
def test_what_cannot_be_read_is_erased_as_a_whole(line: bytes, locator: str) -> None:
    redacted = redact_generated(line, [locator])
    assert b"Ada" not in redacted
    reading = read_generated_file(SOURCE, "m.jsonl", redacted)
    assert [row.utterance for row in (*reading.records, *reading.rejections)][-1] == REDACTED


EXAMPLES = st.lists(
    st.fixed_dictionaries(
        {"utterance": st.text(min_size=1), "template": st.text(), "skill": st.just("call")}
    ),
    min_size=1,
    max_size=4,
)


@given(EXAMPLES, st.integers(0, 400))
def test_a_cut_answer_has_exactly_the_examples_before_the_cut(
    examples: list[dict[str, Any]], cut: int
) -> None:
    text = json.dumps({"examples": examples}, ensure_ascii=False)
    spans, is_complete = find_examples(text[:cut])
    assert [json.loads(text[span.start : span.end]) for span in spans] == examples[: len(spans)]
    assert is_complete == (cut >= len(text))
    assert find_examples(text)[1]


@given(EXAMPLES, st.sets(st.integers(0, 3)), st.integers(0, 400))
def test_no_example_is_lost_whatever_the_answer_is(
    examples: list[dict[str, Any]], erased: set[int], cut: int
) -> None:
    line = make_line(json.dumps({"examples": examples}, ensure_ascii=False)[:cut])
    reading = read_generated_file(SOURCE, "m.jsonl", line)
    rows: list[Record] | list[Any] = [*reading.records, *reading.rejections]
    spans, is_complete = find_examples(parse_answer(line).answer or "")
    assert len(rows) == len(spans) + (0 if is_complete and spans else 1)
    again = read_generated_file(
        SOURCE, "m.jsonl", redact_generated(line, [f"1/answer/examples/{number}" for number in erased])
    )
    assert {row.id for row in (*again.records, *again.rejections)} == {row.id for row in rows}


def test_the_form_of_a_line_is_the_one_of_the_docs() -> None:
    assert set(msgspec.json.decode(make_line("")).keys()) == {
        "version", "request_id", "time", "host", "model", "answered_by", "system_fingerprint", "prompt_hash",
        "prompt", "settings", "cell", "examples", "tool", "finish_reason", "refusal", "usage", "answer",
    }  # fmt: skip
