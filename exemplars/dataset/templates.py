"""Templated exemplars: an utterance with `<slot>` in the place of each located value, and back."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple, Protocol

_SLOT: Final = re.compile(r"<\s*([^<>\s]+)\s*>")


class SlotSpan(NamedTuple):
    """Where a slot's value stands in an utterance; code points, end exclusive."""

    slot: str
    start: int
    end: int


class TemplateError(Exception):
    """A template does not lead to exactly one set of spans; the message says why."""


class _Spanned(Protocol):
    @property
    def slot(self) -> str: ...
    @property
    def start(self) -> int | None: ...
    @property
    def end(self) -> int | None: ...


def write_template(utterance: str, spans: Iterable[_Spanned]) -> str:
    """The utterance with each span replaced by `<slot>`.

    spans: in any order, without overlap; those without a start are left out.
    """
    parts, position = [], 0
    for start, end, slot in sorted(
        (one.start, one.end, one.slot) for one in spans if one.start is not None and one.end is not None
    ):
        parts += [utterance[position:start], f"<{slot}>"]
        position = end
    return "".join([*parts, utterance[position:]])


def list_slots(template: str) -> tuple[str, ...]:
    """The names between angle brackets, in their order; not all of them need to be slots."""
    return tuple(_SLOT.findall(template))


def fill_spans(template: str, utterance: str, slots: Collection[str]) -> tuple[SlotSpan, ...]:
    """The spans that make `utterance` of `template`: the inverse of `write_template`.

    slots: the names that are slots; other text in angle brackets is taken as it stands.
    Raises `TemplateError` where no spans, or several, lead from one to the other. A value has at
    least one code point. The time is linear: the earliest and the latest way to place the text
    between the slots are found, and the way is the only one if these two are equal.
    """
    names, texts = _parts(template, slots)
    earliest = _earliest(texts, utterance)
    if earliest is None:
        raise TemplateError(_difference(template, texts, utterance))
    latest = _latest(texts, utterance)
    if earliest != latest:
        raise TemplateError("the text between the slots fits the utterance in more than one way")
    return tuple(SlotSpan(name, start, end) for name, (start, end) in zip(names, earliest, strict=True))


def _parts(template: str, slots: Collection[str]) -> tuple[list[str], list[str]]:
    """The slots of a template, and the texts before, between and after them."""
    names, texts, position = [], [], 0
    for match in _SLOT.finditer(template):
        if match[1] in slots:
            names.append(match[1])
            texts.append(template[position : match.start()])
            position = match.end()
    return names, [*texts, template[position:]]


def _earliest(texts: list[str], utterance: str) -> list[tuple[int, int]] | None:
    if not utterance.startswith(texts[0]) or (len(texts) == 1 and utterance != texts[0]):
        return None
    spans, position = [], len(texts[0])
    for text in texts[1:-1]:
        found = utterance.find(text, position + 1)
        if found < 0:
            return None
        spans.append((position, found))
        position = found + len(text)
    if len(texts) > 1:
        end = len(utterance) - len(texts[-1])
        if end <= position or not utterance.endswith(texts[-1]):
            return None
        spans.append((position, end))
    return spans


def _latest(texts: list[str], utterance: str) -> list[tuple[int, int]]:
    """The same from the end; there is a way, since there is an earliest one."""
    spans = []
    position = len(utterance) - len(texts[-1])
    for text in reversed(texts[1:-1]):
        found = utterance.rfind(text, 0, position - 1)
        spans.append((found + len(text), position))
        position = found
    if len(texts) > 1:
        spans.append((len(texts[0]), position))
    return spans[::-1]


def _difference(template: str, texts: list[str], utterance: str) -> str:
    common = 0
    while common < min(len(texts[0]), len(utterance)) and texts[0][common] == utterance[common]:
        common += 1
    if common < len(texts[0]):
        return f"the template and the utterance differ from code point {common} on"
    return "the text between the slots does not stand in the utterance in this order"
