"""Recognizers: values with the expressions that people use for them.

The file format is OpenCUI's: `{"recognizers": {name: {"description", "instances": [{"label",
"expressions": [...]}]}}, "slots": {slot: name}}`; a file may also hold the map of recognizers alone.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from exemplars.core.documents import decode_json
from exemplars.core.errors import UserError
from exemplars.core.files import describe_bad_document, encode_json, read_file
from exemplars.dataset.catalog import Skill

BUILT_IN: Final = ("number", "ordinal", "time", "date", "duration", "money")
"""Recognizers without a list: the stage `compile` parses their expressions."""


class Instance(msgspec.Struct, frozen=True):
    """A value and the ways to say it."""

    label: str
    expressions: tuple[str, ...] = ()


class Recognizer(msgspec.Struct, frozen=True):
    """Maps expressions to the values of a parameter."""

    instances: tuple[Instance, ...] = ()
    description: str = ""
    name: str = ""


class Recognizers(msgspec.Struct, frozen=True):
    """A file of recognizers."""

    recognizers: dict[str, Recognizer] = {}
    slots: dict[str, str] = {}
    """The recognizer of each slot for which the catalog does not declare one."""


def decode_recognizers(data: bytes) -> Recognizers:
    """Decode a file of recognizers, in either of the two forms.

    Raises `msgspec.DecodeError` if the file is not JSON, and `msgspec.ValidationError`, with the path in
    the document, if it has a different form.

    >>> decode_recognizers(b'{"city": {"instances": [{"label": "Rome", "expressions": ["Roma"]}]}}').recognizers
    {'city': Recognizer(instances=(Instance(label='Rome', expressions=('Roma',)),), description='', name='')}
    """
    document = decode_json(data)
    if isinstance(document, dict) and "recognizers" not in document:
        document = {"recognizers": document}
    return msgspec.convert(document, Recognizers)


def read_recognizers(path: Path) -> Recognizers:
    """Read a file of recognizers. Raises `UserError` if it is missing or malformed."""
    try:
        return decode_recognizers(read_file(path).removeprefix(codecs.BOM_UTF8))
    except (UserError, msgspec.DecodeError) as error:
        problem = describe_bad_document(
            path,
            error,
            code="bad_recognizers",
            expected='{"recognizers": {name: {"instances": [{"label", "expressions"}]}}}',
            fix="correct the file, or its path in params.yaml (compile.recognizers)",
        )
        raise UserError([problem]) from None


def encode_recognizers(recognizers: Recognizers) -> bytes:
    """Encode recognizers as a JSON file, sorted by name, label and expression."""
    ordered = Recognizers(
        recognizers={
            name: Recognizer(
                name=recognizer.name,
                description=recognizer.description,
                instances=tuple(
                    Instance(instance.label, tuple(sorted(instance.expressions)))
                    for instance in sorted(recognizer.instances, key=lambda instance: instance.label)
                ),
            )
            for name, recognizer in sorted(recognizers.recognizers.items())
        },
        slots=dict(sorted(recognizers.slots.items())),
    )
    return encode_json(ordered)


def merge_recognizers(parts: Iterable[Recognizers]) -> Recognizers:
    """Merge files of recognizers: the expressions of a label are united, and the first description is kept."""
    united: dict[str, dict[str, set[str]]] = {}
    described: dict[str, Recognizer] = {}
    slots: dict[str, str] = {}
    for part in parts:
        slots.update(part.slots)
        for name, recognizer in part.recognizers.items():
            described.setdefault(name, recognizer)
            labels = united.setdefault(name, {})
            for instance in recognizer.instances:
                labels.setdefault(instance.label, set()).update(instance.expressions)
    return Recognizers(
        recognizers={
            name: Recognizer(_build_instances(labels), described[name].description, described[name].name)
            for name, labels in united.items()
        },
        slots=slots,
    )


def select_recognizers(
    recognizers: Mapping[str, Recognizer], skills: Iterable[Skill]
) -> dict[str, Recognizer]:
    """Select the recognizers that parameters of skills name."""
    named = {name for skill in skills for _, name in skill.list_recognizers()}
    return {name: recognizer for name, recognizer in recognizers.items() if name in named}


def _build_instances(labels: Mapping[str, set[str]]) -> tuple[Instance, ...]:
    return tuple(Instance(label, tuple(sorted(labels[label]))) for label in sorted(labels))
