"""Prompts of language models."""

from __future__ import annotations

from exemplars.core.records import Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.prompt_style import PromptStyle, ToolForm
from exemplars.models.prompting import build_messages
from exemplars.models.questions import Question
from exemplars.models.rows import Message

SKILLS = [Skill("light", parameters=(Parameter("action", enum=("on", "off")),)), Skill("ring")]
TURNS = [Turn(Speaker.USER, "hello"), Turn(Speaker.ASSISTANT, "Hi."), Turn(Speaker.TOOL, "[]")]


def test_a_prompt_shows_the_tools_the_last_turns_and_the_utterance() -> None:
    style = PromptStyle(instruction="Call one.", context_turns=2)

    messages = build_messages(style, SKILLS, Question("on", TURNS))

    assert messages == (
        Message("system", "Call one.\nlight(action=on|off)\nring()"),
        Message("assistant", "Hi."),
        Message("tool", "[]"),
        Message("user", "on"),
    )


def test_without_instruction_and_tools_in_the_system_message_there_is_none() -> None:
    style = PromptStyle(instruction="", tools=ToolForm.TEMPLATE, context_turns=0)

    messages = build_messages(style, SKILLS, Question("[1]", TURNS, Speaker.TOOL))

    assert messages == (Message("tool", "[1]"),)
