"""Recognizers: lists of values with the expressions that people use for them.

The file format is OpenCUI's: `{"recognizers": {name: {"description", "instances": [{"label",
"expressions": [...]}]}}, "slots": {slot: name}}`; the map of recognizers may also stand alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

BUILT_IN: Final = ("number", "ordinal", "time", "date", "duration", "money")
"""Recognizers that need no list: `stages.compile` knows the expressions of these."""


class Instance(msgspec.Struct, frozen=True):
    """One value and the ways to say it."""

    label: str
    expressions: tuple[str, ...] = ()


class Recognizer(msgspec.Struct, frozen=True):
    """What ties text to the values of a parameter."""

    instances: tuple[Instance, ...] = ()
    description: str = ""
    name: str = ""


class Recognizers(msgspec.Struct, frozen=True):
    """A file of recognizers."""

    recognizers: dict[str, Recognizer] = {}
    slots: dict[str, str] = {}
    """Which recognizer a slot has, where the catalog does not say it."""


def decode_recognizers(data: bytes) -> Recognizers:
    """Read a file of recognizers, in either of the two forms.

    Raises `msgspec.ValidationError` (with the path in the document) or `msgspec.DecodeError`.
    """
    document = msgspec.json.decode(data)
    if isinstance(document, dict) and "recognizers" not in document:
        document = {"recognizers": document}
    return msgspec.convert(document, Recognizers)


def encode_recognizers(recognizers: Recognizers) -> bytes:
    """The bytes of a file of recognizers, ordered by name, label and expression."""
    ordered = Recognizers(
        recognizers={
            name: Recognizer(
                name=one.name,
                description=one.description,
                instances=tuple(
                    Instance(instance.label, tuple(sorted(instance.expressions)))
                    for instance in sorted(one.instances, key=lambda each: each.label)
                ),
            )
            for name, one in sorted(recognizers.recognizers.items())
        },
        slots=dict(sorted(recognizers.slots.items())),
    )
    return msgspec.json.format(msgspec.json.encode(ordered), indent=2) + b"\n"


def merge_recognizers(parts: Iterable[Recognizers]) -> Recognizers:
    """All instances of all parts; one label's expressions are united."""
    united: dict[str, dict[str, set[str]]] = {}
    described: dict[str, Recognizer] = {}
    slots: dict[str, str] = {}
    for part in parts:
        slots.update(part.slots)
        for name, one in part.recognizers.items():
            described.setdefault(name, one)
            labels = united.setdefault(name, {})
            for instance in one.instances:
                labels.setdefault(instance.label, set()).update(instance.expressions)
    return Recognizers(
        recognizers={
            name: Recognizer(_instances(labels), described[name].description, described[name].name)
            for name, labels in united.items()
        },
        slots=slots,
    )


def _instances(labels: Mapping[str, set[str]]) -> tuple[Instance, ...]:
    return tuple(Instance(label, tuple(sorted(labels[label]))) for label in sorted(labels))
