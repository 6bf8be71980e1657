"""Prompts of language models, built in the same way for training, for evaluation and for use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.models.candidates import format_candidates
from exemplars.models.chat_templates import encode_text, render_prompt
from exemplars.models.prompt_style import PromptStyle, ToolForm
from exemplars.models.questions import Question
from exemplars.models.rows import Message
from exemplars.models.signatures import format_signature


def build_messages(style: PromptStyle, tools: Sequence[Skill], question: Question) -> tuple[Message, ...]:
    """Build the messages of a prompt: the system's, unless it is empty; the turns before; the utterance.

    tools: those that the prompt shows. Of the context, the last `style.context_turns` turns are shown. The system
    message ends with the candidates of the question, if it has any.
    """
    instruction = [style.instruction] if style.instruction else []
    return arrange_messages(instruction, style, tools, question)


def arrange_messages(
    instructions: Sequence[str], style: PromptStyle, tools: Sequence[Skill], question: Question
) -> tuple[Message, ...]:
    """Arrange a prompt like `build_messages`, but with the first lines of the system message given."""
    lines = list(instructions)
    if style.tools == ToolForm.COMPACT:
        lines += [format_signature(tool) for tool in tools]
    if question.candidates:
        lines.append(format_candidates(question.candidates))
    system = "\n".join(lines)
    before = question.context[-style.context_turns :] if style.context_turns else ()
    return (
        *([Message("system", system)] if system else []),
        *(Message(turn.speaker.value, turn.utterance) for turn in before),
        Message(question.speaker.value, question.utterance),
    )


def encode_prompt(
    tokenizer: Any, style: PromptStyle, tools: Sequence[Skill], question: Question
) -> list[int]:
    """Encode a prompt as tokens, up to where the answer begins.

    Raises `ChatTemplateError` if the chat template of the tokenizer refuses the messages.
    """
    messages = [msgspec.structs.asdict(message) for message in build_messages(style, tools, question)]
    shown = [build_tool_definition(tool) for tool in tools] if style.tools == ToolForm.TEMPLATE else []
    return encode_text(tokenizer, render_prompt(tokenizer, messages, shown))
