"""Templates: utterances in which `<slot>` replaces each aligned value, and the way back."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

_SLOT: Final = re.compile(r"<\s*([^<>\s]+)\s*>")
_NO_VALUES: Final[Mapping[str, str]] = MappingProxyType({})


class SlotSpan(NamedTuple):
    """The span of a slot's value in an utterance; code points, end exclusive."""

    slot: str
    start: int
    end: int


class TemplateError(Exception):
    """A template does not fit an utterance in exactly one way; the message says why."""


class _Spanned(Protocol):
    @property
    def slot(self) -> str: ...
    @property
    def start(self) -> int | None: ...
    @property
    def end(self) -> int | None: ...


def write_template(utterance: str, spans: Iterable[_Spanned]) -> str:
    """Replace each span of an utterance by `<slot>`.

    spans: in any order, without overlap; those without a start and an end are skipped.

    >>> write_template("call Maria now", [SlotSpan("contact", 5, 10)])
    'call <contact> now'
    """
    parts, position = [], 0
    for start, end, slot in sorted(
        (span.start, span.end, span.slot) for span in spans if span.start is not None and span.end is not None
    ):
        parts += [utterance[position:start], f"<{slot}>"]
        position = end
    return "".join([*parts, utterance[position:]])


def list_slots(template: str) -> tuple[str, ...]:
    """List the names in angle brackets, in their order; not all of them need to be slots."""
    return tuple(_SLOT.findall(template))


def fill_spans(
    template: str, utterance: str, slots: Collection[str], values: Mapping[str, str] = _NO_VALUES
) -> tuple[SlotSpan, ...]:
    """Find the spans that a template has in an utterance: the inverse of `write_template`.

    slots: the names that are slots; other text in angle brackets is literal text. A value has at least
    one code point. values: of the slots, by name; where the template fits in several ways, those that the
    utterance says letter for letter decide.
    Raises `TemplateError` if the template fits the utterance in no way, or in several.

    >>> fill_spans("call <contact> now", "call Maria now", {"contact"})
    (SlotSpan(slot='contact', start=5, end=10),)
    """
    # Trying all ways would take exponential time. The earliest and the latest way to place the texts
    # between the slots take linear time, and if the two are equal, there is no other way.
    names, texts = _split_template(template, slots)
    earliest = _find_earliest(texts, utterance)
    if earliest is None:
        raise TemplateError(_describe_difference(template, texts, utterance))
    latest = _find_latest(texts, utterance)
    if earliest != latest:
        said = [value if (value := values.get(name, "")) in utterance else "" for name in names]
        earliest = _find_by_values(texts, said, utterance)
    if earliest is None:
        raise TemplateError("the text between the slots fits the utterance in more than one way")
    return tuple(SlotSpan(name, start, end) for name, (start, end) in zip(names, earliest, strict=True))


def _split_template(template: str, slots: Collection[str]) -> tuple[list[str], list[str]]:
    """Split a template into its slots, and the texts before, between and after them."""
    names, texts, position = [], [], 0
    for match in _SLOT.finditer(template):
        if match[1] in slots:
            names.append(match[1])
            texts.append(template[position : match.start()])
            position = match.end()
    return names, [*texts, template[position:]]


def _find_earliest(texts: list[str], utterance: str) -> list[tuple[int, int]] | None:
    """Find the spans between texts that are each placed as early as possible; `None` if they do not fit."""
    if not utterance.startswith(texts[0]) or (len(texts) == 1 and utterance != texts[0]):
        return None
    spans, position = [], len(texts[0])
    for text in texts[1:-1]:
        start = utterance.find(text, position + 1)
        if start < 0:
            return None
        spans.append((position, start))
        position = start + len(text)
    if len(texts) > 1:
        end = len(utterance) - len(texts[-1])
        if end <= position or not utterance.endswith(texts[-1]):
            return None
        spans.append((position, end))
    return spans


def _find_latest(texts: list[str], utterance: str) -> list[tuple[int, int]]:
    """Find the spans between texts that are each placed as late as possible; they are known to fit."""
    spans = []
    position = len(utterance) - len(texts[-1])
    for text in reversed(texts[1:-1]):
        start = utterance.rfind(text, 0, position - 1)
        spans.append((start + len(text), position))
        position = start
    if len(texts) > 1:
        spans.append((len(texts[0]), position))
    return spans[::-1]


def _find_by_values(texts: list[str], said: list[str], utterance: str) -> list[tuple[int, int]] | None:
    """Find the spans between texts, with values taken as text too; `None` if that fits in no way, or in several.

    said: the value of each span, or an empty text for one that is open.
    """
    open_texts = [texts[0]]
    for value, text in zip(said, texts[1:], strict=True):
        if value:
            open_texts[-1] += value + text
        else:
            open_texts.append(text)
    earliest = _find_earliest(open_texts, utterance)
    if earliest is None or earliest != _find_latest(open_texts, utterance):
        return None
    spans, position, found = [], len(texts[0]), iter(earliest)
    for value, text in zip(said, texts[1:], strict=True):
        end = position + len(value) if value else next(found)[1]
        spans.append((position, end))
        position = end + len(text)
    return spans


def _describe_difference(template: str, texts: list[str], utterance: str) -> str:
    common = 0
    while common < min(len(texts[0]), len(utterance)) and texts[0][common] == utterance[common]:
        common += 1
    if common < len(texts[0]):
        return f"the template and the utterance differ from code point {common} on"
    return "the text between the slots does not occur in the utterance in this order"
