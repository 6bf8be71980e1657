"""Digests of version 1, which runs of that time have in their rows.txt: written out as they were published then."""

from __future__ import annotations

from typing import Any

import pytest

from exemplars.audit.lineage.earlier_digests import hash_row_as_version_1

ROW: dict[str, Any] = {
    "utterance": "What's the weather like in Lisbon?",
    "speaker": "user",
    "context": [],
    "skill": "weather",
    "mode": "normal",
    "arguments": [
        {
            **{"slot": "location", "value": "Lisbon", "surface": "Lisbon", "start": 27, "end": 33},
            **{"grounding": "verbatim", "accepted": []},
        }
    ],
    "reply": None,
}


def test_a_row_has_the_digest_that_version_1_gave_it() -> None:
    assert hash_row_as_version_1(ROW) == "1fee23c9c7ac1f7f26ab5a1cb75575878f66caece17754f27647d1e22dc5b2e3"


def test_the_assistant_was_called_system() -> None:
    context = [{"speaker": "assistant", "utterance": "Yes?"}]
    argument = {
        "slot": "contact",
        "value": "Maria",
        "surface": "Maria",
        "start": 5,
        "end": 10,
        "grounding": "verbatim",
    }
    row = {**ROW, "utterance": "call Maria", "context": context, "skill": "call", "arguments": [argument]}
    assert hash_row_as_version_1(row) == "760bf25428051a7bf1a79947154ef286bac191f259a4a4fe7b3259baaba7dd0e"


@pytest.mark.parametrize(
    "change",
    [
        {"speaker": None},
        {"speaker": "tool"},
        {"reply": "Sunny."},
        {"context": [{"speaker": "tool", "utterance": "20"}]},
        {"arguments": [{**ROW["arguments"][0], "accepted": ["Lisboa"]}]},
    ],
)
def test_what_version_1_could_not_say_has_no_digest_of_it(change: dict[str, Any]) -> None:
    assert hash_row_as_version_1({**ROW, **change}) is None
