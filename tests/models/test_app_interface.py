"""The two functions that an application needs."""

from __future__ import annotations

from typing import Any

import pytest

from exemplars.dataset.catalog import build_tool_definition
from exemplars.models import parse, prompt
from exemplars.models.prompt_style import CandidateSource, PromptStyle, Values
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


def test_a_prompt_shows_what_is_said_as_training_did() -> None:
    style = PromptStyle(candidates=CandidateSource.RECOGNIZER, values=Values.CANONICAL)
    said = prompt("timer for ten minutes", tools=TOOLS[1:2], style=style)[0]["content"]
    assert said.splitlines()[-1] == 'Said: number="10"'
    given = prompt("ring mum", tools=TOOLS[:1], candidates=[("contact", "mum")])[0]["content"]
    assert given.splitlines()[-1] == 'Said: contact="mum"'
    assert prompt("at 7", style=style, candidates=[("time", "7")]) == [{"role": "user", "content": "at 7"}]


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
