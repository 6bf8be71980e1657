"""Spans that are a part of a value become the whole value."""

from __future__ import annotations

import pytest

from exemplars.models.tagger.whole_spans import expand_to_expression, expand_to_name, trim_span


def find(text: str, part: str) -> tuple[int, int]:
    start = text.index(part)
    return start, start + len(part)


@pytest.mark.parametrize(
    ("text", "part", "whole"),
    [
        ("happen to be in Delft.", "Delft.", "Delft"),
        ("is it in “Oslo”?", "“Oslo”?", "Oslo"),
        ("from Split, on Friday", "Split", "Split"),
        ("what?", "?", "?"),
    ],
)
def test_punctuation_at_the_edges_is_trimmed(text: str, part: str, whole: str) -> None:
    start, end = trim_span(text, find(text, part))
    assert text[start:end] == whole


@pytest.mark.parametrize(
    ("text", "part", "kind", "whole"),
    [
        ("The 6 o'clock showing.", "6", "time", "6 o'clock"),
        ("at half past 7 in the evening", "past 7", "time", "half past 7 in the evening"),
        ("on the 14th of March", "14th", "date", "14th of March"),
        ("for twenty one people", "one", "number", "twenty one"),
        ("The 6 o'clock showing.", "6", None, "6"),
        ("The 6 o'clock showing.", "6", "moment", "6"),
        ("see you at Kino Royal", "Kino", "time", "Kino"),
    ],
)
def test_a_part_of_an_expression_becomes_all_of_it(
    text: str, part: str, kind: str | None, whole: str
) -> None:
    start, end = expand_to_expression(text, find(text, part), kind)
    assert text[start:end] == whole


@pytest.mark.parametrize(
    ("text", "part", "whole"),
    [
        ("it's Kombüse Lütt you're after.", "Kombüse", "Kombüse Lütt"),
        ("Zur Alten Waage in Quedlinburg", "Alten", "Alten Waage"),
        ("at Zur Alten Waage, Quedlinburg", "Alten", "Zur Alten Waage"),
        ("collected by Dr. Božo Marić", "Božo", "Dr. Božo Marić"),
        ("there's Bog Wedding at Kino Rukkilill, 9:20 pm", "Wedding", "Bog Wedding"),
        ("Two middle seats", "middle", "middle"),
        ("it is $11", "$11", "$11"),
    ],
)
def test_a_part_of_a_name_becomes_all_of_it(text: str, part: str, whole: str) -> None:
    start, end = expand_to_name(text, find(text, part))
    assert text[start:end] == whole
