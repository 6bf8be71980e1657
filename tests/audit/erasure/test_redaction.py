"""Raw files are redacted in place: every record keeps its line or position, and nothing of its text is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.audit.erasure.matched_rows import ErasedRow
from exemplars.audit.erasure.redaction import redact_dialogues, redact_jsonl, redact_skills
from exemplars.audit.erasure.transaction import redact_files
from stages.ingest.jsonl import infer_skills, read_examples
from stages.ingest.params import ChatSource
from stages.ingest.reading import SourceInfo
from stages.ingest.tombstones import Erasures, Tombstone


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (
            "### User: ring Ada\n\n### Assistant: call(who=\"Ada\")\n\n### Exemplar: ring <who>\n",
            "### User: [erased]\n\n### Assistant: [erased]\n\n### Exemplar: [erased]\n",
        ),
        ("## user : ring Ada\n### assistant: call(who=\"Ada\")\n", "## user : [erased]\n### assistant: [erased]\n"),
        ("### User: ring\nAda, please\n### Assistant: call()\n", "### User: [erased]\n[erased]\n### Assistant: [erased]\n"),
        ("### User: ring\rAda\n### Assistant: call()\r\n", "### User: [erased]\n### Assistant: [erased]\r\n"),
        ("\ufeff### User: ring Ada\n", "\ufeff### User: [erased]\n"),
        ("### User: ring Ada\n#### Examples:\ntext\n", "### User: [erased]\n#### Examples:\ntext\n"),
        ("### User: a\n### Assistant: call()\n### Assistant: call(who=\"Ada\")\n### User: b\n",
         "### User: [erased]\n### Assistant: [erased]\n### Assistant: [erased]\n### User: b\n"),
    ],
)  # fmt: skip
def test_all_text_up_to_the_next_example_or_section_is_redacted(text: str, redacted: str) -> None:
    assert redact_skills(text.encode(), ["1"]) == redacted.encode()


def test_a_carriage_return_within_a_line_does_not_shift_the_lines() -> None:
    data = b"### User: a\rb\n### Assistant: call()\n### User: Ada\n### Assistant: call()\n"
    assert redact_skills(data, ["3"]) == (
        b"### User: a\rb\n### Assistant: call()\n### User: [erased]\n### Assistant: [erased]\n"
    )


def test_a_line_that_belongs_to_no_example_is_redacted_alone() -> None:
    data = b"#### Examples:\nAda was here\n\n### User: ring\n### Assistant: call()\n"
    assert (
        redact_skills(data, ["2"]) == b"#### Examples:\n[erased]\n\n### User: ring\n### Assistant: call()\n"
    )


def test_a_dialogue_that_cannot_be_read_is_redacted_in_its_place() -> None:
    data = json.dumps([{"dialogue_id": "1", "note": "Ada"}, "Ada", {"turns": ["Ada", {"frames": "Ada"}]}])
    assert json.loads(redact_dialogues(data.encode(), ["/0", "/1", "/2"])) == [
        {"dialogue_id": "1", "services": [], "turns": []},
        {"dialogue_id": "[erased]", "services": [], "turns": []},
        {
            "dialogue_id": "[erased]",
            "services": [],
            "turns": [
                {"speaker": "SYSTEM", "utterance": "[erased]", "frames": []},
                {"speaker": "SYSTEM", "utterance": "[erased]", "frames": []},
            ],
        },
    ]


def test_a_line_that_is_a_turn_keeps_the_number_of_its_calls() -> None:
    calls = b'{"utterance": "call Ada", "reply": "Ada?", "calls": [{"skill": "call"}, {"skill": "text"}]}'
    redacted = redact_jsonl(b'{"utterance": "hi"}\n' + calls, ["2/calls/0", "2/calls/1"])
    assert redacted == (
        b'{"utterance": "hi"}\n{"utterance": "[erased]", "calls": [{"skill": "[erased]"}, {"skill": "[erased]"}]}'
    )
    reading = read_examples(SourceInfo("mine", "MIT"), "a.jsonl", redacted)
    assert [record.id for record in reading.records] == [
        "mine:a.jsonl#1",
        "mine:a.jsonl#2/calls/0",
        "mine:a.jsonl#2/calls/1",
    ]
    assert infer_skills(reading.records) == ()


@pytest.mark.parametrize(
    ("redactor", "data", "locators"),
    [
        (redact_skills, b"### User: a\r\n\r\nb\r\n### Assistant: c()\r\n", ["1"]),
        (redact_jsonl, b'{"utterance": "a"}\r\n{"utterance": "b"}\r\n', ["1", "2"]),
        (redact_jsonl, b'{"utterance": "a", "calls": [{"skill": "b"}]}', ["1/calls/0"]),
        (redact_dialogues, b'[{"dialogue_id": "1", "turns": [{"speaker": "USER", "utterance": "\xc3\xa9"}]}]\n', ["/0"]),
    ],
)  # fmt: skip
def test_redacting_again_changes_nothing(redactor, data: bytes, locators: list[str]) -> None:  # type: ignore[no-untyped-def]
    once = redactor(data, locators)
    assert once != data
    assert redactor(once, locators) == once


def test_an_unreadable_record_of_a_format_without_redactor_must_be_edited_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    tombstone = Tombstone(id="t1", pattern="Ada", reviewer="Kim", reason="a name")
    row = ErasedRow("talks:a.jsonl#1", "talks", "talks/a.jsonl", "1", tombstone, None, ("Ada, an",))
    erasures = Erasures((tombstone,), b"0123456789abcdef")
    sources = {"talks": ChatSource(path="talks", license="MIT")}
    assert redact_files(tmp_path, [row], (), sources, erasures).by_hand == ("talks/a.jsonl",)
    redacted = row._replace(raw_texts=())
    assert redact_files(tmp_path, [redacted], (), sources, erasures).by_hand == ()
