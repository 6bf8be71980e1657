from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.digests import hash_content
from exemplars.core.errors import UserError
from exemplars.core.records import Mode, Origin, Reason, Record, Speaker, Turn
from stages.ingest.instruct import parse_instruct_file
from stages.ingest.params import InstructSource, SystemText
from stages.ingest.reading import Reading, SourceInfo

SOURCE = SourceInfo("chats", "MIT")
ALPACA = {
    "instruction": "Paraphrase the sentence.",
    "input": "Time waits for no one.",
    "output": "Time goes on.",
}
LIMA = {"conversations": ["Hi", "Hello!", "Bye", "See you."], "source": "forum"}


def parse(rows: list[Any], context_turns: int = 12, **settings: Any) -> Reading:
    params = InstructSource(path="raw", license="MIT", **settings)
    return parse_instruct_file(SOURCE, "a.json", json.dumps(rows).encode(), params, context_turns)


def list_texts(reading: Reading) -> list[tuple[str, list[str], str, str | None]]:
    return [
        (record.origin.locator, [turn.utterance for turn in record.context], record.utterance, record.reply)
        for record in reading.records
    ]


def test_an_instruction_with_its_input_is_a_record_that_calls_nothing() -> None:
    data = json.dumps(ALPACA).encode()
    params = InstructSource(path="raw", license="MIT")
    [record] = parse_instruct_file(SOURCE, "a.jsonl", data, params, 12).records
    assert record == Record(
        id="chats:a.jsonl#1",
        turn="chats:a.jsonl#1",
        source="chats",
        utterance="Paraphrase the sentence.\nTime waits for no one.",
        mode=Mode.NONE,
        skill=None,
        service=None,
        arguments=(),
        context=(),
        group="chats:da723af359d1fd56",
        license="MIT",
        origin=Origin("a.jsonl", hash_content(data), "1"),
        reply="Time goes on.",
    )


@pytest.mark.parametrize(
    ("row", "utterance", "reply"),
    [
        ({"instruction": "Name a color.", "input": "", "output": "Red"}, "Name a color.", "Red"),
        ({"instruction": "Name a color.", "input": None, "output": "Red"}, "Name a color.", "Red"),
        ({"instruction": "", "input": "Name a color.", "output": "Red"}, "Name a color.", "Red"),
        (
            {"instruction": "Who?", "context": "Ada wrote it.", "response": "Ada", "category": "closed_qa"},
            "Who?\nAda wrote it.",
            "Ada",
        ),
        ({"inputs": "2+2?", "targets": "4", "task": "math"}, "2+2?", "4"),
        ({"conversations": ["Hi", "Hello!"]}, "Hi", "Hello!"),
        ({"prompt": "The sky is", "completion": " blue."}, "The sky is", " blue."),
    ],
)
def test_each_dialect_gives_what_the_user_says_and_the_reply(
    row: dict[str, Any], utterance: str, reply: str
) -> None:
    [record] = parse([row]).records
    assert (record.utterance, record.reply) == (utterance, reply)


def test_each_reply_of_a_conversation_is_a_record_with_the_turns_before() -> None:
    assert list_texts(parse([LIMA])) == [
        ("/0/conversations/1", [], "Hi", "Hello!"),
        ("/0/conversations/3", ["Hi", "Hello!"], "Bye", "See you."),
    ]
    first, second = parse([LIMA]).records
    assert first.group == second.group
    assert second.context == (Turn(Speaker.USER, "Hi"), Turn(Speaker.ASSISTANT, "Hello!"))


def test_history_is_learned_unless_it_is_masked() -> None:
    row = {"instruction": "Bye", "output": "See you.", "history": [["Hi", "Hello!"]]}
    last = ("/0", ["Hi", "Hello!"], "Bye", "See you.")
    assert list_texts(parse([row])) == [("/0/history/0", [], "Hi", "Hello!"), last]
    assert list_texts(parse([row], mask_history=True)) == [last]


def test_the_context_is_bounded() -> None:
    assert list_texts(parse([LIMA], context_turns=1))[1][1] == ["Hello!"]
    assert list_texts(parse([LIMA], context_turns=0))[1][1] == []


def test_a_system_text_begins_what_the_user_says_first_or_is_left_out() -> None:
    row = {
        "instruction": "Bye",
        "output": "Ahoy.",
        "history": [["Hi", "Arr!"]],
        "system": "Talk like a pirate.",
    }
    assert list_texts(parse([row])) == [
        ("/0/history/0", [], "Talk like a pirate.\nHi", "Arr!"),
        ("/0", ["Talk like a pirate.\nHi", "Arr!"], "Bye", "Ahoy."),
    ]
    kept = list_texts(parse([row], system=SystemText.LEAVE_OUT))
    assert kept == [("/0/history/0", [], "Hi", "Arr!"), ("/0", ["Hi", "Arr!"], "Bye", "Ahoy.")]


def test_an_assistant_that_speaks_first_is_context_and_its_reply_is_rejected() -> None:
    row = {"instruction": "Bye", "output": "See you.", "history": [["", "Hello!"]]}
    reading = parse([row])
    assert list_texts(reading) == [("/0", ["Hello!"], "Bye", "See you.")]
    assert [rejection.message for rejection in reading.rejections] == [
        "a.json#/0/history/0: found the utterance '', expected what is said, as text; fill it in, or remove the record"
    ]
    assert parse([row], mask_history=True).rejections == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"instruction": "Name a color.", "output": " \n"},
            "a.json#/1: found an empty reply, expected a reply; fill it in, or remove the example",
        ),
        (
            {"instruction": "Name a color.", "ouput": "Red"},
            "a.json#/1: found the keys instruction, ouput, expected instruction and output, as all rows of the "
            "dialect alpaca have them; did you mean 'output'?",
        ),
        (
            {"prompt": "Name a color.", "completion": "Red"},
            "a.json#/1: found the keys prompt, completion, expected instruction and output, as all rows of the "
            "dialect alpaca have them; correct the row, or remove it",
        ),
        (
            {"instruction": "Name a color.", "output": ["Red"]},
            "a.json#/1: found '[\"Red\"]' at /output, expected a text; correct the row, or remove it",
        ),
        (
            {"instruction": 7, "output": "Red"},
            "a.json#/1: found '7' at /instruction, expected a text; correct the row, or remove it",
        ),
        (
            {"instruction": "x", "output": "y", "history": [["Hi"]]},
            "a.json#/1: found '[\"Hi\"]' at /history/0, expected a pair of texts, what the user says and the reply; "
            "correct the row, or remove it",
        ),
        (
            {"instruction": "x", "output": "y", "history": "Hi"},
            "a.json#/1: found '\"Hi\"' at /history, expected a list; correct the row, or remove it",
        ),
        ("text", "a.json#/1: found '\"text\"', expected an object; correct the row, or remove it"),
    ],
)
def test_a_row_that_has_no_reply_or_another_form_is_rejected_with_its_place(row: Any, message: str) -> None:
    reading = parse([ALPACA, row, ALPACA])
    assert len(reading.records) == 2
    [rejection] = reading.rejections
    assert (rejection.message, rejection.reason) == (message, Reason.MALFORMED_RECORD)


@pytest.mark.parametrize(
    ("conversations", "message"),
    [
        (
            ["Hi", "Hello!", "Bye"],
            "a.json#/0/conversations/2: found no reply to the last text, expected a reply",
        ),
        ([], "a.json#/0: found an empty list at /conversations, expected at least one text"),
        (
            [{"from": "human", "value": "Hi"}],
            "expected a text; read the file as `format: chat`",
        ),
    ],
)
def test_a_conversation_without_a_reply_is_rejected(conversations: list[Any], message: str) -> None:
    [rejection] = parse([{"conversations": conversations}]).rejections
    assert message in rejection.message


def test_the_dialect_of_a_file_can_be_fixed() -> None:
    both = {"instruction": "x", "output": "y", "response": "z"}
    assert parse([both], dialect="alpaca").records[0].reply == "y"
    with pytest.raises(
        UserError, match="other_dialect: found rows of the dialect alpaca, expected the dialect lima"
    ):
        parse([both], dialect="lima")


def test_a_file_of_no_dialect_is_named_with_its_keys() -> None:
    with pytest.raises(
        UserError,
        match="unknown_dialect: found rows with the keys text, label, expected one of alpaca, dolly, flan, lima",
    ):
        parse([{"text": "great", "label": 1}])


def test_a_parquet_file_gives_the_same_texts() -> None:
    file = io.BytesIO()
    rows = [{**ALPACA, "history": [["Hi", "Hello!"]]}, {**ALPACA, "history": None}]
    pq.write_table(pa.Table.from_pylist(rows), file)
    params = InstructSource(path="raw", license="MIT")
    reading = parse_instruct_file(SOURCE, "a.parquet", file.getvalue(), params, 12)
    assert list_texts(reading) == list_texts(parse(rows))
    assert len(reading.records) == 3


REPLIES = st.text(max_size=3)
CONVERSATIONS = st.lists(st.tuples(REPLIES, REPLIES), min_size=1, max_size=3)


@given(st.lists(CONVERSATIONS, min_size=1, max_size=4))
def test_every_reply_is_a_record_or_a_rejection(conversations: list[list[tuple[str, str]]]) -> None:
    rows = [
        {"instruction": last[0], "output": last[1], "history": [list(pair) for pair in earlier]}
        for *earlier, last in conversations
    ]
    reading = parse(rows)
    ids = [row.id for row in (*reading.records, *reading.rejections)]
    assert len(ids) == len(set(ids)) == sum(map(len, conversations))
    assert [record.reply for record in reading.records] == [
        reply for pairs in conversations for text, reply in pairs if says(text) and says(reply)
    ]


def says(text: str) -> bool:
    return any(character.isprintable() and not character.isspace() for character in text)


def test_records_keep_the_day_that_tomorrow_refers_to() -> None:
    source = SOURCE._replace(today="2019-03-01")
    params = InstructSource(path="raw", license="MIT")
    [record] = parse_instruct_file(source, "a.jsonl", json.dumps(ALPACA).encode(), params, 12).records
    assert record.today == "2019-03-01"
