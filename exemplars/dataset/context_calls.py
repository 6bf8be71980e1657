"""Turns of the context in which the assistant makes calls: what it says, then each call as a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class MadeCall(NamedTuple):
    """A call that an earlier turn made."""

    name: str
    arguments: Mapping[str, Any]


def format_context_turn(text: str, calls: Sequence[MadeCall]) -> str:
    """Format a turn of the assistant. A value that JSON does not have, as a table may hold it, is written as text.

    >>> format_context_turn("Let me see.", [MadeCall("find", {"city": "Rome"})])
    'Let me see.\\n{"name": "find", "arguments": {"city": "Rome"}}'
    """
    lines = [
        json.dumps({"name": call.name, "arguments": dict(call.arguments)}, ensure_ascii=False, default=str)
        for call in calls
    ]
    return "\n".join([*([text] if text else []), *lines])


def parse_context_turn(utterance: str) -> tuple[str, tuple[MadeCall, ...]]:
    """Parse a turn into what the assistant says and its calls: the inverse of `format_context_turn`."""
    lines = utterance.split("\n")
    calls: list[MadeCall] = []
    while lines and (call := _parse_line(lines[-1])) is not None:
        calls.insert(0, call)
        lines.pop()
    return "\n".join(lines), tuple(calls)


def _parse_line(line: str) -> MadeCall | None:
    if not line.startswith('{"name": '):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if list(value) != ["name", "arguments"] or not isinstance(value["name"], str):
        return None
    call = MadeCall(value["name"], value["arguments"]) if isinstance(value["arguments"], dict) else None
    # A line with other spacing was written by somebody else, and could not come back as it was.
    return call if call is not None and format_context_turn("", [call]) == line else None
