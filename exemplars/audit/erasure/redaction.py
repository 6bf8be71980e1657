"""Redact raw files: each record keeps its place, and its text is replaced by `[erased]`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any, Final

from exemplars.core.records import REDACTED
from stages.ingest.params import AnySource, JsonlSource, SgdSource, SkillsSource

Redactor = Callable[[bytes, Collection[str]], bytes]
"""From the bytes of a file and the locators of records to the bytes of the redacted file."""
_PART: Final = re.compile(rb"(### (?:User|Assistant|Exemplar):\s*).*?(\r?\n?)$")


def choose_redactor(source: AnySource) -> Redactor | None:
    """Choose the redactor for the files of a source; `None` if they must be edited by hand."""
    match source:
        case SkillsSource():
            return redact_skills
        case JsonlSource():
            return redact_jsonl
        case SgdSource():
            return redact_dialogues
    return None


def redact_skills(data: bytes, locators: Collection[str]) -> bytes:
    r"""Redact a skill file: the examples that begin at the given lines (from 1).

    >>> redact_skills(b"### User: a\n### Assistant: b()\n", ["1"])
    b'### User: [erased]\n### Assistant: [erased]\n'
    """
    starts = {int(locator) for locator in locators}
    lines = data.splitlines(keepends=True)
    within = False
    for number, line in enumerate(lines, 1):
        part = _PART.match(line)
        if number in starts or part is None or line.startswith(b"### User"):
            within = number in starts
        if within:
            head, end = part.groups() if part else (b"", line[len(line.rstrip(b"\r\n")) :])
            lines[number - 1] = head + REDACTED.encode() + end
    return b"".join(lines)


def redact_jsonl(data: bytes, locators: Collection[str]) -> bytes:
    """Redact labeled examples: the given lines (from 1) get an utterance `[erased]` and nothing else."""
    lines = data.split(b"\n")
    for locator in locators:
        index = int(locator) - 1
        end = b"\r" if lines[index].endswith(b"\r") else b""
        lines[index] = json.dumps({"utterance": REDACTED}).encode() + end
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
    turns = [
        {
            "speaker": turn["speaker"],
            "utterance": REDACTED,
            "frames": [_empty_frame(frame, turn["speaker"]) for frame in turn.get("frames", [])],
        }
        for turn in dialogue["turns"]
    ]
    return {
        "dialogue_id": dialogue["dialogue_id"],
        "services": dialogue.get("services", []),
        "turns": turns,
    }


def _empty_frame(frame: Any, speaker: str) -> dict[str, Any]:
    empty = {"service": frame["service"], "actions": [], "slots": []}
    if speaker == "USER":
        empty["state"] = {"active_intent": "NONE", "requested_slots": [], "slot_values": {}}
    return empty
