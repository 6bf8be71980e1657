"""Checks that training will see exactly what was meant, prompt by prompt, before any training."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from exemplars.core.errors import quote_text
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from exemplars.models.calls import CallFormat, MalformedCall, parse_call
from exemplars.models.chat_templates import (
    ChatTemplateError,
    TokenizedChat,
    find_end_of_turn,
    render_prompt,
    tokenize_chat,
)
from exemplars.models.rows import Message, View
from stages.render.prompts import Prompt


class TokenizedPrompt(NamedTuple):
    """A prompt as tokens, checked."""

    prompt: Prompt
    input_ids: tuple[int, ...]
    """The tokens of the prompt, which are masked, then the supervised ones."""
    prompt_tokens: int
    """The number of masked tokens."""


def tokenize_and_check(
    prompt: Prompt, tokenizer: Any, limit: int, form: CallFormat
) -> TokenizedPrompt | Problem:
    """Tokenize a prompt with its answer, and check the result.

    The checks: no token is cut; the supervised tokens decode to exactly the answer and the end-of-turn
    token; a call is parsed as it was meant; the prompt shows its tools, the called one among them.

    limit: the maximum number of tokens of a row. form: how calls are written.
    """
    try:
        chat = tokenize_chat(tokenizer, _encode_messages(prompt.messages), prompt.definitions)
    except ChatTemplateError as error:
        return Problem(
            Reason.NOT_SUPERVISED,
            found=f"a chat template that fails: {error}",
            fix="use a chat template that accepts such turns",
        )
    problem = (
        _check_length(chat, limit)
        or _check_answer(prompt, chat, tokenizer)
        or _check_call(prompt, form)
        or _check_tools(prompt, chat, tokenizer)
    )
    return problem or TokenizedPrompt(prompt, (*chat.prompt, *chat.completion), len(chat.prompt))


def _check_length(chat: TokenizedChat, limit: int) -> Problem | None:
    length = len(chat.prompt) + len(chat.completion)
    if length <= limit:
        return None
    return Problem(
        Reason.TOO_LONG,
        found=f"{length} tokens",
        expected=f"at most {limit}",
        fix="raise render.max_tokens, or show fewer tools or turns",
    )


def _check_answer(prompt: Prompt, chat: TokenizedChat, tokenizer: Any) -> Problem | None:
    """Check that what is supervised is the answer and the end of the turn."""
    answer = prompt.messages[-1].content
    decoded = _decode(tokenizer, chat.completion)
    if chat.completion and decoded == answer + tokenizer.decode([find_end_of_turn(tokenizer)]):
        return None
    return Problem(
        Reason.NOT_SUPERVISED,
        found=f"{quote_text(decoded)} as the supervised text",
        expected=f"{quote_text(answer)} and the end-of-turn token",
        fix="use a chat template that ends with the answer unchanged",
    )


def _check_call(prompt: Prompt, form: CallFormat) -> Problem | None:
    """Check that the answer, as text, is parsed as the call that was meant."""
    if prompt.view != View.CALL:
        return None
    answer = prompt.messages[-1].content
    call = parse_call(answer, form)
    if call is None:
        is_same = prompt.skill is None
    else:
        is_same = (
            not isinstance(call, MalformedCall)
            and call.skill == prompt.skill
            and set(call.arguments) == {expected.slot for expected in prompt.answers}
        )
    if is_same:
        return None
    return Problem(
        Reason.NOT_SUPERVISED,
        found=f"{quote_text(answer)}, which is parsed as a different call, or as none",
        fix="give skills and parameters names that are valid identifiers",
    )


def _check_tools(prompt: Prompt, chat: TokenizedChat, tokenizer: Any) -> Problem | None:
    """Check that the prompt's text has the called tool, and any tools that the template should write."""
    if prompt.definitions:
        messages = _encode_messages(prompt.messages[:-1])
        text = render_prompt(tokenizer, messages, prompt.definitions)
        is_shown = text != render_prompt(tokenizer, messages, None) and (prompt.skill or "") in text
    else:
        text = _decode(tokenizer, chat.prompt)
        is_shown = prompt.skill is None or re.search(rf"(?<!\w){re.escape(prompt.skill)}\(", text) is not None
    if is_shown:
        return None
    return Problem(
        Reason.TOOL_NOT_IN_PROMPT,
        found=f"no {prompt.skill or 'tool'} in the prompt",
        fix="set render.tools to compact",
    )


def _decode(tokenizer: Any, tokens: Sequence[int]) -> str:
    return str(tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _encode_messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Convert messages to the dictionaries that chat templates take."""
    return [msgspec.structs.asdict(message) for message in messages]
