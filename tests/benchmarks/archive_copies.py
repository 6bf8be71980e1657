"""Larger SGD data: copies of the dialogues with other ids, other values and other endings.

The copies are for measuring growth: each is as hard to read as the original, and no copy's rows are duplicates of
another's. They are no data to train on.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

Ways = tuple[str, ...]
"""Ways to say one value."""
Pool = Mapping[str, list[Ways]]
"""The values of each slot, sorted."""
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
    values: dict[str, set[Ways]] = defaultdict(set)
    for dialogue in dialogues:
        for slot, ways in _list_said(dialogue).values():
            values[slot].add(ways)
    return {slot: sorted(ways) for slot, ways in values.items()}


def _list_said(dialogue: Any) -> dict[str, tuple[str, Ways]]:
    """List the values that a dialogue says, by text: the slot that it says it for first, and all ways to say it.

    The text decides, since what is said for one slot may be what another asks for later.
    """
    slots: dict[str, str] = {}
    ways_of: dict[str, Ways] = {}
    for turn in dialogue["turns"]:
        for frame in turn["frames"]:
            for span in frame["slots"]:
                slots.setdefault(turn["utterance"][span["start"] : span["exclusive_end"]], span["slot"])
            for ways in frame.get("state", {}).get("slot_values", {}).values():
                for way in ways:
                    if len(ways) > len(ways_of.get(way, ())):
                        ways_of[way] = tuple(ways)
    said = [(slot, ways_of.get(text, (text,))) for text, slot in slots.items()]
    return {way: (slot, ways) for slot, ways in reversed(said) for way in ways}


def _vary_dialogue(dialogue: Any, copy: int, pool: Pool) -> Any:
    version = json.loads(json.dumps(dialogue))
    version["dialogue_id"] = f"{dialogue['dialogue_id']}_{copy:02}"
    said = _list_said(dialogue)

    def replace(text: str) -> str:
        """Draw another value; two ways to say a value become two ways to say the other."""
        if text not in said:
            return text
        slot, ways = said[text]
        others = _draw(pool[slot], f"{version['dialogue_id']} {slot} {ways}")
        return others[ways.index(text) % len(others)]

    for number, turn in enumerate(version["turns"]):
        if turn["speaker"] == "USER":
            turn["utterance"] += " " + _draw(
                ENDINGS, f"{version['dialogue_id']} {number} {turn['utterance']}"
            )
        spans = sorted(
            (span for frame in turn["frames"] for span in frame["slots"]), key=lambda span: span["start"]
        )
        shift = 0
        for span in spans:
            start, end = span["start"] + shift, span["exclusive_end"] + shift
            old = turn["utterance"][start:end]
            new = replace(old)
            turn["utterance"] = turn["utterance"][:start] + new + turn["utterance"][end:]
            span["start"], span["exclusive_end"] = start, start + len(new)
            shift += len(new) - len(old)
        for frame in turn["frames"]:
            for slot, ways in frame.get("state", {}).get("slot_values", {}).items():
                frame["state"]["slot_values"][slot] = list(map(replace, ways))
            for action in frame["actions"]:
                action["values"] = list(map(replace, action["values"]))
    return version


def _draw(values: Sequence[T], key: str) -> T:
    return values[int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % len(values)]
