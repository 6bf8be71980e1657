"""Raw files without what is erased: each record keeps its place, and loses what was said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any, Final

from exemplars.core.records import REDACTED
from stages.ingest.params import AnySource, JsonlSource, SgdSource, SkillsSource

Redact = Callable[[bytes, Collection[str]], bytes]
_PART: Final = re.compile(rb"(### (?:User|Assistant|Exemplar):\s*).*?(\r?\n?)$")


def redaction_of(source: AnySource) -> Redact | None:
    """How the files of a source are redacted: bytes and locators to bytes; null: by hand alone."""
    match source:
        case SkillsSource():
            return redacted_skills
        case JsonlSource():
            return redacted_jsonl
        case SgdSource():
            return redacted_dialogues
    return None


def redacted_skills(data: bytes, locators: Collection[str]) -> bytes:
    """A skill file: the pairs that begin at the given lines (from 1) say `[erased]`."""
    starts = {int(one) for one in locators}
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


def redacted_jsonl(data: bytes, locators: Collection[str]) -> bytes:
    """Labelled examples: the given lines (from 1) hold an utterance `[erased]` and nothing else."""
    lines = data.split(b"\n")
    for one in locators:
        place = int(one) - 1
        end = b"\r" if lines[place].endswith(b"\r") else b""
        lines[place] = json.dumps({"utterance": REDACTED}).encode() + end
    return b"\n".join(lines)


def redacted_dialogues(data: bytes, locators: Collection[str]) -> bytes:
    """Dialogues of SGD: those that the JSON Pointers lead into keep their turns and services, empty.

    The file is written anew: other dialogues keep their content and their places.
    """
    text = data.decode("utf-8-sig")
    document = json.loads(text)
    for index in {int(one.split("/")[1]) for one in locators}:
        document[index] = _emptied(document[index])
    indent = re.match(r"\[\r?\n( +)", text)
    ascii_only = text.isascii()
    written = json.dumps(document, indent=len(indent[1]) if indent else None, ensure_ascii=ascii_only)
    return written.encode("utf-8") + (b"\n" if text.endswith("\n") else b"")


def _emptied(dialogue: Any) -> dict[str, Any]:
    turns = [
        {
            "speaker": turn["speaker"],
            "utterance": REDACTED,
            "frames": [_silent(frame, turn["speaker"]) for frame in turn.get("frames", [])],
        }
        for turn in dialogue["turns"]
    ]
    return {
        "dialogue_id": dialogue["dialogue_id"],
        "services": dialogue.get("services", []),
        "turns": turns,
    }


def _silent(frame: Any, speaker: str) -> dict[str, Any]:
    silent = {"service": frame["service"], "actions": [], "slots": []}
    if speaker == "USER":
        silent["state"] = {"active_intent": "NONE", "requested_slots": [], "slot_values": {}}
    return silent
