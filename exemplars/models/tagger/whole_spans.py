"""Spans of whole values: "6 o'clock", not "6"; "Kombüse Lütt", not "Kombüse"; "Delft", not "Delft."."""

from __future__ import annotations

import re
from typing import Final

from exemplars.dataset.expressions.readings import READABLE, find_expressions
from exemplars.dataset.expressions.verbatim import Span

_EDGES: Final = ' \t\n.,;:!?"“”„«»…'
_NAME: Final = re.compile(r"(?:[^\W\d_]\.?['’-]?)+")
_NEXT_WORD: Final = re.compile(rf" ({_NAME.pattern})")
_WORD_BEFORE: Final = re.compile(rf"({_NAME.pattern}) $")


def trim_span(text: str, span: Span) -> Span:
    """Trim punctuation and white space at the edges of a span; a span of nothing else stays.

    >>> trim_span("in Delft.", (3, 9)), trim_span("?", (0, 1))
    ((3, 8), (0, 1))
    """
    start, end = span
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    return (start, end) if start < end else span


def expand_to_expression(text: str, span: Span, kind: str | None) -> Span:
    """Expand a span to the expression of a kind that contains it, if there is one. kind: as of a slot.

    >>> expand_to_expression("the 6 o'clock showing", (4, 5), "time"), expand_to_expression("row 6", (4, 5), "time")
    ((4, 13), (4, 5))
    """
    expressions = find_expressions(text, kind) if kind in READABLE else ()
    wholes = (whole for whole in expressions if whole[0] <= span[0] and span[1] <= whole[1])
    return next(wholes, span)


def expand_to_name(text: str, span: Span) -> Span:
    """Expand a span that is capitalized to the capitalized words around it, with only spaces between them.

    >>> expand_to_name("It's Kombüse Lütt in Laboe", (5, 12)), expand_to_name("It's a boat", (7, 11))
    ((5, 17), (7, 11))
    """
    start, end = span
    if not all(word[0].isupper() for word in _NAME.findall(text[start:end])) or not text[start].isupper():
        return span
    while (after := _NEXT_WORD.match(text, end)) and after[1][0].isupper():
        end = after.end()
    while (before := _WORD_BEFORE.search(text, 0, start)) and before[1][0].isupper():
        if before.start() == 0:
            break  # The first word of a text is capitalized in any case.
        start = before.start()
    return start, end
