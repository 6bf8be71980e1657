from __future__ import annotations

import pytest

from exemplars.core.literals import format_literal, is_of_type, parse_literal


@pytest.mark.parametrize(
    ("literal", "type_", "text"),
    [
        ("x", "string", "x"),
        (5, "integer", "5"),
        (2.5, "number", "2.5"),
        (-3, "number", "-3"),
        (True, "boolean", "True"),
    ],
)
def test_literals_come_back_from_their_text(literal: object, type_: str, text: str) -> None:
    assert format_literal(literal) == text
    assert parse_literal(text, type_) == literal
    assert is_of_type(literal, type_)


def test_text_that_is_not_a_number_stays_text() -> None:
    assert parse_literal("many", "integer") == "many"


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        (5, "integer", True),
        (5, "number", True),
        (2.5, "number", True),
        (2.5, "integer", False),
        ("5", "integer", False),
        (5, "string", False),
        (True, "boolean", True),
        (True, "integer", False),
        (True, "number", False),
        ("True", "boolean", False),
        (5, None, True),
        ("x", "array", True),
    ],
)
def test_a_value_is_of_its_json_type_and_a_boolean_is_not_an_integer(
    value: object, type_: str | None, expected: bool
) -> None:
    assert is_of_type(value, type_) is expected
