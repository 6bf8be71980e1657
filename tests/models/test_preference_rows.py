from __future__ import annotations

import msgspec
import pytest

from exemplars.models.calls import CallFormat
from exemplars.models.preference_rows import PreferencePair, PreferredCall, Side, format_side, hash_pair

LINE = (
    b'{"version":1,"id":"p1","row":"d1","chosen":[{"name":"call","arguments":{"contact":"Mom"}}],"rejected":"Sure!",'
    b'"kind":"wrong_skill","chosen_by":"right","rejected_by":"lora","source":"errors"}'
)


def test_a_line_has_calls_or_texts_as_sides_and_is_written_back_the_same() -> None:
    pair = msgspec.json.decode(LINE, type=PreferencePair)
    assert pair.chosen == (PreferredCall("call", {"contact": "Mom"}),)
    assert pair.rejected == "Sure!"
    assert msgspec.json.encode(pair) == LINE


@pytest.mark.parametrize(
    ("side", "text"),
    [
        ("Good morning.", "Good morning."),
        ((), "null"),
        ((PreferredCall("call", {"times": 2}),), '{"name": "call", "arguments": {"times": 2}}'),
    ],
)
def test_a_side_is_written_in_the_format_of_calls(side: Side, text: str) -> None:
    assert format_side(side, CallFormat.JSON) == text


def test_a_pair_has_the_same_hash_whoever_decided_it_and_a_different_one_with_its_sides_exchanged() -> None:
    pair = msgspec.json.decode(LINE, type=PreferencePair)
    later = msgspec.structs.replace(pair, id="p2", judge="Kim", time="2026-11-27T20:00:00Z")
    exchanged = msgspec.structs.replace(pair, chosen=pair.rejected, rejected=pair.chosen)
    assert hash_pair(later) == hash_pair(pair) != hash_pair(exchanged)
