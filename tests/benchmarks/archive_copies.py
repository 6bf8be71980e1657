"""Larger SGD data: copies of the dialogues with other ids, other values and other endings.

The copies are for measuring growth: each is as hard to read as the original, and no copy's rows are duplicates of
another's. They are no data to train on.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Pool = Mapping[str, list[str]]
"""The values of each slot, as dialogues say them, sorted."""
ENDINGS = (
    "please",
    "thanks",
    "today",
    "if you can",
    "right now",
    "for me",
    "when you have a minute",
    "again",
)


def copy_dialogues(source: Path, target: Path, copies: int) -> None:
    """Write `copies` versions of each dialogue file below `source` to the same folder below `target`.

    The first version is the original.
    """
    for folder in ("train", "dev", "test"):
        (target / folder).mkdir(parents=True)
        (target / folder / "schema.json").write_bytes((source / folder / "schema.json").read_bytes())
        files = sorted((source / folder).glob("dialogues_*.json"))
        dialogues = {file.stem: json.loads(file.read_bytes()) for file in files}
        pool = _collect_values(dialogue for file in dialogues.values() for dialogue in file)
        for name, originals in dialogues.items():
            for copy in range(copies):
                versions = (
                    [_vary_dialogue(dialogue, copy, pool) for dialogue in originals] if copy else originals
                )
                path = target / folder / f"{name}_{copy:02}.json"
                path.write_text(json.dumps(versions, indent=2), "utf-8")


def _collect_values(dialogues: Iterator[Any]) -> Pool:
    values: dict[str, set[str]] = defaultdict(set)
    for dialogue in dialogues:
        for turn in dialogue["turns"]:
            for frame in turn["frames"]:
                for span in frame["slots"]:
                    values[span["slot"]].add(turn["utterance"][span["start"] : span["exclusive_end"]])
    return {slot: sorted(texts) for slot, texts in values.items()}


def _vary_dialogue(dialogue: Any, copy: int, pool: Pool) -> Any:
    version = json.loads(json.dumps(dialogue))
    version["dialogue_id"] = f"{dialogue['dialogue_id']}_{copy:02}"

    def replace(slot: str, text: str) -> str:
        return _draw(pool[slot], f"{version['dialogue_id']} {slot} {text}") if slot in pool else text

    for number, turn in enumerate(version["turns"]):
        if turn["speaker"] == "USER":
            turn["utterance"] += " " + _draw(
                ENDINGS, f"{version['dialogue_id']} {number} {turn['utterance']}"
            )
        spans = sorted(
            (span for frame in turn["frames"] for span in frame["slots"]), key=lambda span: span["start"]
        )
        said: dict[tuple[str, str], str] = {}
        shift = 0
        for span in spans:
            start, end = span["start"] + shift, span["exclusive_end"] + shift
            old = turn["utterance"][start:end]
            new = said.setdefault((span["slot"], old), replace(span["slot"], old))
            turn["utterance"] = turn["utterance"][:start] + new + turn["utterance"][end:]
            span["start"], span["exclusive_end"] = start, start + len(new)
            shift += len(new) - len(old)
        for frame in turn["frames"]:
            for slot, ways in frame.get("state", {}).get("slot_values", {}).items():
                frame["state"]["slot_values"][slot] = [replace(slot, way) for way in ways]
            for action in frame["actions"]:
                action["values"] = [replace(action["slot"], value) for value in action["values"]]
    return version


def _draw(values: list[str] | tuple[str, ...], key: str) -> str:
    return values[int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % len(values)]
