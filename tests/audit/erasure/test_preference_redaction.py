"""Which preferences say what is to be erased, and what a redacted line keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.audit.erasure.preference_redaction import find_preferences, redact_preferences
from exemplars.core.records import Reason
from exemplars.models.preference_log import read_preference_lines
from stages.ingest.tombstones import Erasures, Tombstone

CALL = {"name": "call", "arguments": {"contact": "Augusta"}}
PROMPT = [{"role": "user", "content": "Who is Augusta?"}]
LINES = [
    {"version": 1, "id": "p1", "row": "d1", "chosen": [CALL], "rejected": "No.", "source": "judge", "judge": "Kim"},
    {"version": 1, "id": "p2", "row": "d2", "chosen": "Yes.", "rejected": "No.", "source": "written"},
    {"version": 1, "id": "p3", "prompt": PROMPT, "chosen": "A.", "rejected": "B.", "license": "MIT", "source": "imported"},
    {"version": 1, "id": "w2", "withdraws": "p2", "source": "judge"},
]  # fmt: skip
DATA = "\n".join([*map(json.dumps, LINES), '{"version": 1, "prompt": "Augusta', ""]).encode()


def make_erasures(**rule: str) -> Erasures:
    return Erasures((Tombstone(id="t1", reviewer="Kim", reason="asked", **rule),), b"k" * 16)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "digests", "text", "lines", "tombstones"),
    [
        ({"pattern": "Augusta"}, set(), b"nothing", {1, 3, 5}, {"t1"}),
        ({"place": "preferences:preferences.jsonl#2"}, set(), b"nothing", {2}, {"t1"}),
        ({"place": "s:a.md#1"}, {"d2"}, b"nothing", {2}, set()),
        ({"place": "s:a.md#1"}, set(), b"Augusta", {1, 3, 5}, set()),
        ({"pattern": "judge|call|written"}, set(), b"nothing", {1}, {"t1"}),
    ],
    ids=[
        "a pattern, in a broken line, too",
        "a place",
        "an erased row",
        "a text of an erased row",
        "not in keys",
    ],
)
def test_preferences_that_say_it_or_are_about_an_erased_row_are_found(
    tmp_path: Path,
    rule: dict[str, str],
    digests: set[str],
    text: bytes,
    lines: set[int],
    tombstones: set[str],
) -> None:
    path = tmp_path / "data/raw/preferences.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    matches = find_preferences(tmp_path, make_erasures(**rule), digests, lambda data: text in data)
    assert (matches.lines, matches.tombstones) == (lines, tombstones)
    assert matches.files == {"data/raw/preferences.jsonl"}


def test_a_redacted_line_keeps_its_place_and_who_decided_and_redacting_twice_changes_nothing() -> None:
    redacted = redact_preferences(DATA, {1, 3, 5})
    lines = redacted.split(b"\n")
    assert b"Augusta" not in redacted
    assert lines[0] == b'{"version":1,"id":"p1","chosen":"[erased]","source":"judge","judge":"Kim"}'
    assert lines[4] == b'{"version":1,"id":"erased-5","chosen":"[erased]","source":"written"}'
    assert (lines[1], lines[3]) == (json.dumps(LINES[1]).encode(), json.dumps(LINES[3]).encode())
    assert redact_preferences(redacted, {1, 3, 5}) == redacted
    reasons = [line.problem and line.problem.reason for line in read_preference_lines(redacted)]
    assert reasons == [Reason.ERASED, Reason.WITHDRAWN, Reason.ERASED, None, Reason.ERASED]


def test_without_a_file_nothing_is_found(tmp_path: Path) -> None:
    assert not find_preferences(tmp_path, make_erasures(pattern="a"), {"d1"}, lambda _: True).lines
