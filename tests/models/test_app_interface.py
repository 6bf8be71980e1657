"""The two functions that an application needs."""

from __future__ import annotations

from typing import Any

import pytest

from exemplars.dataset.catalog import build_tool_definition
from exemplars.models import parse, prompt
from exemplars.models.prompt_style import PromptStyle
from tests.models.tagger.rows import SKILLS

TOOLS = [build_tool_definition(skill) for skill in SKILLS]


def test_a_prompt_is_that_of_training() -> None:
    turns = [
        {"role": "user", "content": "oldest"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "Yes?"},
    ]
    assert prompt("ring mum", turns, TOOLS[:1]) == [
        {"role": "system", "content": "Call one tool, or answer None.\ncall(contact, device=home|work)"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "ring mum"},
    ]
    assert prompt("hello", style=PromptStyle(instruction="Help.")) == [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ('set_timer(minutes="ten")', [{"name": "set_timer", "arguments": {"minutes": 10}}]),
        (
            '{"name": "set_timer", "arguments": {"minutes": "10"}}',
            [{"name": "set_timer", "arguments": {"minutes": 10}}],
        ),
        (
            '[call(contact="mum"), unknown(a=1)]',
            [{"name": "call", "arguments": {"contact": "mum"}}, {"name": "unknown", "arguments": {"a": 1}}],
        ),
        ("None", []),
        ("null", []),
    ],
)
def test_calls_are_parsed_in_both_formats(text: str, calls: list[dict[str, Any]]) -> None:
    assert parse(text, TOOLS, "a timer for ten minutes") == calls


def test_prose_is_no_call() -> None:
    with pytest.raises(ValueError, match=r"^not a call: "):
        parse("I cannot do that.", TOOLS)
