"""The labels of a row in another tool's format: what the format itself has no place for.

They are JSON text under one key, which readers of these formats ignore, and so survive loaders that derive columns from
rows. With them, a row that comes back has the same content, and so the same digest. They hold for the row that they
were written for: if any other part of it was changed, they are void, and the row is read as any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from exemplars.core.digests import hash_content
from exemplars.core.records import Argument, Mode, Turn

KEY: Final = "exemplars"
"""The key of a row that has its labels."""


class CallLabels(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a call, or of its absence."""

    mode: Mode
    skill: str | None = None
    service: str | None = None
    arguments: tuple[Argument, ...] = ()


class RowLabels(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a row, whose last message is the only one to learn."""

    row: str
    """The SHA-256 of the row without its labels: see `hash_document`."""
    calls: tuple[CallLabels, ...]
    turns: tuple[Turn, ...] | msgspec.UnsetType = msgspec.UNSET
    """The turns before the answer, if the row has them in another form."""
    reply: str | msgspec.UnsetType | None = msgspec.UNSET
    """What the assistant says, if the row has it in another form."""
    tools: Sequence[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
    """OpenAI-style definitions of the skills, if the row has none."""


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(RowLabels).decode


def add_labels(document: Mapping[str, Any], labels: RowLabels) -> dict[str, Any]:
    """Return a row with its labels, which are bound to it. labels: their `row` is not yet known."""
    bound = msgspec.structs.replace(labels, row=hash_document(document))
    return {**document, KEY: _encode(bound).decode()}


def drop_labels(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without its labels, for readers that admit only the keys they know."""
    return {key: value for key, value in document.items() if key != KEY}


def find_labels(document: Any) -> RowLabels | None:
    """Find the labels of a row; `None` if it has none, or if they are void.

    >>> row = add_labels({"query": "stop"}, RowLabels("", (CallLabels(Mode.NORMAL, "halt"),)))
    >>> find_labels(row).calls[0].skill, find_labels({**row, "query": "go"})
    ('halt', None)
    """
    text = document.get(KEY) if isinstance(document, Mapping) else None
    if not isinstance(text, str):
        return None
    try:
        labels = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    is_sound = bool(labels.calls) and all(map(_is_sound, labels.calls))
    return labels if is_sound and labels.row == hash_document(document) else None


def hash_document(document: Mapping[str, Any]) -> str:
    """Hash a row without its labels: SHA-256 of its JSON, keys sorted, and without keys whose value is `None`.

    A table gives all its rows the same keys; that adds no meaning.
    """
    content = _drop_nulls(drop_labels(document))
    return hash_content(json.dumps(content, sort_keys=True, default=str).encode())


def _is_sound(call: CallLabels) -> bool:
    """Return whether labels are those of a row: mode and skill agree, and a table can hold the spans."""
    spans = [(argument.start, argument.end) for argument in call.arguments]
    are_spans = all(
        span == (None, None)
        or (None not in span and all(0 <= end < 2**31 for end in span if end is not None))
        for span in spans
    )
    is_call = call.skill is not None
    return are_spans and is_call == (call.mode is not Mode.NONE) and (is_call or not spans)


def _drop_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _drop_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_drop_nulls(item) for item in value] if isinstance(value, list | tuple) else value
