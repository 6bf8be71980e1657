"""Patterns of JSON Schemas: checked, unless they would take hours."""

from __future__ import annotations

import time

import pytest

from exemplars.dataset.schema_validators import build_validator


def test_a_pattern_and_a_format_are_checked() -> None:
    schema = {"properties": {"code": {"type": "string", "pattern": "^[A-Z]{2}$"}, "day": {"format": "date"}}}
    validator = build_validator(schema, ["date"])
    errors = [error.message for error in validator.iter_errors({"code": "a", "day": "soon"})]
    assert errors == ["'a' does not match '^[A-Z]{2}$'", "'soon' is not a 'date'"]
    assert validator.is_valid({"code": "AB", "day": "2026-11-27"})


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)+$", "^(a|a)*b$", "(.*)*x", "^(([a-z])+.)+[A-Z]$"])
def test_a_pattern_that_repeats_what_is_repeated_does_not_hang(pattern: str) -> None:
    start = time.process_time()
    build_validator({"pattern": pattern}).is_valid("a" * 60 + "!")
    build_validator({"pattern": pattern}).is_valid("a" * 61 + "!")
    assert time.process_time() - start < 5
