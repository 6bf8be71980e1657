"""What scripted servers answer: good examples of the skill `call`, which all differ, and bad ones."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

from tests.generation.scripted_server import Body, Reply

FIRST = ("Ada", "Boris", "Chiara", "Dmitri", "Elif", "Farouk", "Greta", "Hugo", "Ines", "Jamal", "Kenji", "Lotte",
         "Marek", "Nadia", "Oskar")  # fmt: skip
LAST = ("Quint", "Rossi", "Sørensen", "Tanaka", "Ustinov", "Vogel", "Wójcik", "Xanthos", "Yilmaz", "Zhang", "Abbott",
        "Brandt", "Costa", "Dubois")  # fmt: skip
FRAMES = ("ring {} before supper", "would you phone {} for me", "let me hear {} on the telephone", "I must speak with {} today",
          "dial {} right away", "put me through to {}", "time to telephone {}", "start a call with {}")  # fmt: skip
NAMES = [f"{first} {last}" for first, last in product(FIRST, LAST)]
"""210 names, all different."""


def write_example(number: int, **changes: Any) -> dict[str, Any]:
    """Write a good example; examples of different numbers have different names. changes: of its keys."""
    name, frame = NAMES[number], FRAMES[number % len(FRAMES)]
    return {
        "utterance": frame.format(name),
        "template": frame.format("<contact>"),
        "skill": "call",
        "arguments": {"contact": name, "device": None},
        **changes,
    }


def answer_with(*examples: dict[str, Any], **reply: Any) -> Reply:
    """Answer with examples."""
    return Reply(text=json.dumps({"examples": list(examples)}, ensure_ascii=False), **reply)


def answer_well(body: Body, number: int) -> Reply:
    """Answer with one good example."""
    return answer_with(write_example(number))
