"""Redact raw files: each record keeps its place, and its text is replaced by `[erased]`.

Every redactor is idempotent: what is redacted already stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any, Final

import msgspec

from exemplars.core.ids import split_locator
from exemplars.core.layout import is_url
from exemplars.core.records import REDACTED
from exemplars.dataset.generated_answers import encode_answer, parse_answer, redact_answer
from stages.ingest.params import AnySource, GeneratedSource, JsonlSource, SgdSource, SkillsSource

Redactor = Callable[[bytes, Collection[str]], bytes]
"""From the bytes of a file and the locators of records to the bytes of the redacted file."""
_HEADING: Final = re.compile(r"####(?!#)")
_PART: Final = re.compile(r"(\s*(?:#{1,6}\s*)?(User|Assistant|Exemplar)\s*:\s*)", re.IGNORECASE)
"""A marker, also one that is malformed: the reader of skill files takes it for what it is meant to be."""
_BOM: Final = b"\xef\xbb\xbf"


def choose_redactor(source: AnySource) -> Redactor | None:
    """Choose the redactor for the files of a source; `None` if they must be edited by hand, or where they are."""
    if is_url(source.path):
        return None
    match source:
        case SkillsSource():
            return redact_skills
        case JsonlSource():
            return redact_jsonl
        case SgdSource():
            return redact_dialogues
        case GeneratedSource():
            return redact_generated
    return None


def redact_skills(data: bytes, locators: Collection[str]) -> bytes:
    r"""Redact a skill file: the examples that begin at the given lines (from 1).

    An example reaches to the next `### User:` or section; text without a marker in it is redacted, too.

    >>> redact_skills(b"### User: a\n\n### Assistant: b()\n", ["1"])
    b'### User: [erased]\n\n### Assistant: [erased]\n'
    """
    starts = {int(locator) for locator in locators if locator.isdecimal()}
    mark = _BOM if data.startswith(_BOM) else b""
    lines = data.removeprefix(_BOM).decode("utf-8").split("\n")
    within = False
    for index, line in enumerate(lines):
        text = line.removesuffix("\r")
        part = None if _HEADING.match(text) else _PART.match(text)
        if index + 1 in starts:
            within = part is not None and part[2].capitalize() == "User"
        elif _HEADING.match(text) or (part is not None and part[2].capitalize() == "User"):
            within = False
        if text.strip() and (within or index + 1 in starts):
            lines[index] = (part[1] if part else "") + REDACTED + line[len(text) :]
    return mark + "\n".join(lines).encode("utf-8")


def redact_jsonl(data: bytes, locators: Collection[str]) -> bytes:
    """Redact labeled examples: the given lines (from 1) get an utterance `[erased]` and nothing else.

    A line that is a turn of several calls keeps their number, so that each has its id.

    >>> redact_jsonl(b'{"utterance": "a", "skill": "b"}', ["1"])
    b'{"utterance": "[erased]"}'
    """
    lines = data.split(b"\n")
    numbers = {number for number, _ in map(split_locator, locators) if number is not None}
    for index in (number - 1 for number in numbers):
        end = b"\r" if lines[index].endswith(b"\r") else b""
        redacted: dict[str, Any] = {"utterance": REDACTED}
        if count := _count_calls(lines[index]):
            redacted["calls"] = [{"skill": REDACTED}] * count
        lines[index] = json.dumps(redacted).encode() + end
    return b"\n".join(lines)


def _count_calls(line: bytes) -> int:
    """Count the calls of a line that is a whole turn; 0 for any other."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return 0
    calls = document.get("calls") if isinstance(document, dict) else None
    return len(calls) if isinstance(calls, list) else 0


def redact_generated(data: bytes, locators: Collection[str]) -> bytes:
    """Redact generated answers: the given examples (`12/answer/examples/3`), or whatever a line (`12`) holds.

    Who asked for what and when stays, as do the ids of the other examples. A line that is no answer becomes `[erased]`.
    """
    lines = data.split(b"\n")
    examples: dict[int, set[int]] = {}
    for line, pointer in map(split_locator, locators):
        if line is not None:
            examples.setdefault(line - 1, set()).add(int(pointer.rpartition("/")[2] or -1))
    for index, numbers in examples.items():
        try:
            answer = redact_answer(parse_answer(lines[index]), numbers)
            lines[index] = encode_answer(answer).removesuffix(b"\n")
        except msgspec.DecodeError:
            lines[index] = REDACTED.encode()
    return b"\n".join(lines)


def redact_dialogues(data: bytes, locators: Collection[str]) -> bytes:
    """Redact SGD dialogues: those that the JSON Pointers point into keep their turns and services, without text.

    The whole file is rewritten; the other dialogues keep their content and their positions.
    """
    text = data.decode("utf-8-sig")
    document = json.loads(text)
    for index in {int(locator.split("/")[1]) for locator in locators}:
        document[index] = _empty_dialogue(document[index])
    indent = re.match(r"\[\r?\n( +)", text)
    ascii_only = text.isascii()
    redacted = json.dumps(document, indent=len(indent[1]) if indent else None, ensure_ascii=ascii_only)
    return redacted.encode("utf-8") + (b"\n" if text.endswith("\n") else b"")


def _empty_dialogue(dialogue: Any) -> dict[str, Any]:
    """Return a dialogue without text; what a dialogue that cannot be read does not have is left empty."""
    known = dialogue if isinstance(dialogue, dict) else {}
    return {
        "dialogue_id": known.get("dialogue_id", REDACTED),
        "services": known.get("services", []),
        "turns": [_empty_turn(turn) for turn in _list_objects(known.get("turns"))],
    }


def _empty_turn(turn: dict[str, Any]) -> dict[str, Any]:
    speaker = turn.get("speaker", "SYSTEM")
    frames = [_empty_frame(frame, speaker) for frame in _list_objects(turn.get("frames"))]
    return {"speaker": speaker, "utterance": REDACTED, "frames": frames}


def _empty_frame(frame: dict[str, Any], speaker: str) -> dict[str, Any]:
    empty = {"service": frame.get("service", REDACTED), "actions": [], "slots": []}
    if speaker == "USER":
        empty["state"] = {"active_intent": "NONE", "requested_slots": [], "slot_values": {}}
    return empty


def _list_objects(value: Any) -> list[dict[str, Any]]:
    """List the objects of a JSON array, in their places; whatever else is in it becomes an empty object."""
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []
