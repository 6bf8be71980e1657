from __future__ import annotations

from decimal import Decimal

import pytest

from exemplars.dataset.expressions.quantities import find_percentages, find_quantities


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a dozen roses", [("a dozen", "12")]),
        ("three dozen", [("three dozen", "36")]),
        ("half a dozen", [("half a dozen", "6")]),
        ("a couple of friends", [("a couple of", "2")]),
        ("three and a half pounds", [("three and a half", "3.5")]),
        ("4 1/2 cups", [("4 1/2", "4.5")]),
        ("3/4 cup", [("3/4", "0.75")]),
        ("½ cup", [("½", "0.5")]),
        ("half a cup", [("half", "0.5")]),
        ("minus seven", [("minus seven", "-7")]),
        ("\u22127 or -8", [("\u22127", "-7"), ("-8", "-8")]),
        ("nine minus seven", [("nine", "9"), ("seven", "7")]),
        ("7-8 people", [("7", "7"), ("8", "8")]),
        ("2.5 million", [("2.5 million", "2500000.0")]),
        ("3k", [("3k", "3000")]),
        ("nothing halved", []),
    ],
)
def test_quantities(text: str, expected: list[tuple[str, str]]) -> None:
    found = find_quantities(text)
    assert [
        (text[quantity.start : quantity.end], str(quantity.readings[0])) for quantity in found
    ] == expected


@pytest.mark.parametrize("text", ["sixty percent", "60%", "60 per cent"])
def test_percentages(text: str) -> None:
    [percentage] = find_percentages(f"{text} off")
    assert (percentage.start, percentage.end, percentage.readings) == (0, len(text), (Decimal(60),))
