"""Checks that training will see exactly what was meant, prompt by prompt, before any training."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.errors import quote_text
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from exemplars.core.slot_paths import find_root
from exemplars.models.calls import CallFormat, MalformedCall, parse_calls
from exemplars.models.chat_templates import (
    ChatTemplateError,
    TokenizedChat,
    find_control_text,
    find_end_of_turn,
    find_forged_token,
    render_prompt,
    tokenize_chat,
)
from exemplars.models.rows import Message, View
from stages.render.prompts import Prompt

_PLACES: Final = {
    "system": "the system message",
    "user": "an earlier turn",
    "assistant": "an earlier reply",
    "tool": "an earlier result",
}
"""What a message of each role is called."""


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

    The checks: no control token comes from the data; no token is cut; the supervised tokens decode to exactly
    the answer and the end-of-turn token; a call is parsed as it was meant; the prompt shows its tools, the
    called one among them.

    limit: the maximum number of tokens of a row. form: how calls are written.
    """
    if problem := _check_texts(prompt, tokenizer):
        return problem
    messages = encode_messages(prompt.messages)
    try:
        chat = tokenize_chat(tokenizer, messages, prompt.template_tools)
    except ChatTemplateError as error:
        return Problem(
            Reason.NOT_SUPERVISED,
            found=f"a chat template that fails: {error}",
            fix="use a chat template that accepts such turns",
        )
    if token := find_forged_token(tokenizer, messages, prompt.template_tools, chat):
        return report_control_token(token, "the rendered chat")
    problem = (
        check_length(chat, limit)
        or check_answer(prompt.messages[-1].content, chat, tokenizer)
        or _check_call(prompt, form)
        or _check_tools(prompt, chat, tokenizer)
    )
    return problem or TokenizedPrompt(prompt, (*chat.prompt, *chat.completion), len(chat.prompt))


def _check_texts(prompt: Prompt, tokenizer: Any) -> Problem | None:
    """Check that no text of a row, whether the prompt shows it or an export does, spells a control token."""
    for place, text in _list_texts(prompt):
        if token := find_control_text(tokenizer, text):
            return report_control_token(token, place)
    return None


def _list_texts(prompt: Prompt) -> Iterator[tuple[str, str]]:
    """Yield all texts of a row, each after the name of its place."""
    *before, utterance, answer = prompt.messages
    yield "the utterance", utterance.content
    for message in before:
        yield _PLACES[message.role], message.content
    yield "the answer", answer.content
    for call in prompt.calls:
        for expected in call.answers:
            for value in expected.accepted:
                yield f"the value of {expected.slot}", value
    for definition in prompt.definitions:
        name = definition["function"]["name"]
        yield f"the definition of the tool {name}", msgspec.json.encode(definition).decode()


def report_control_token(token: str, place: str) -> Problem:
    """Report a text that spells a control token. place: what the text is."""
    return Problem(
        Reason.CONTROL_TOKEN,
        found=f"the control token {token!r} in {place}",
        expected="text that cannot end or begin a turn",
        fix="remove it from the data, or write it differently",
    )


def check_length(chat: TokenizedChat, limit: int) -> Problem | None:
    """Check that a chat has at most `limit` tokens."""
    length = len(chat.prompt) + len(chat.completion)
    if length <= limit:
        return None
    return Problem(
        Reason.TOO_LONG,
        found=f"{length} tokens",
        expected=f"at most {limit}",
        fix="raise render.max_tokens, or show fewer tools or turns",
    )


def check_answer(answer: str, chat: TokenizedChat, tokenizer: Any) -> Problem | None:
    """Check that what is supervised is the answer and the end of the turn."""
    decoded = _decode(tokenizer, chat.completion)
    expected = answer + tokenizer.decode([find_end_of_turn(tokenizer)])
    if chat.completion and decoded == expected:
        return None
    fix = "use a chat template that ends with the answer unchanged"
    if chat.completion and decoded.endswith(expected):
        fix = (
            "switch off what the template writes before it, such as thinking: render.base.template_arguments"
        )
    return Problem(
        Reason.NOT_SUPERVISED,
        found=f"{quote_text(decoded)} as the supervised text",
        expected=f"{quote_text(answer)} and the end-of-turn token",
        fix=fix,
    )


def _check_call(prompt: Prompt, form: CallFormat) -> Problem | None:
    """Check that the answer, as text, is parsed as the calls that were meant, and a reply as no call."""
    if prompt.view != View.CALL:
        return None
    answer = prompt.messages[-1].content
    calls = parse_calls(answer, form)
    if isinstance(calls, MalformedCall):
        is_same = prompt.is_reply
    else:
        parsed = [(call.skill, set(call.arguments)) for call in calls]
        is_same = parsed == [
            (call.skill, {find_root(expected.slot) for expected in call.answers}) for call in prompt.calls
        ]
    if is_same:
        return None
    return Problem(
        Reason.NOT_SUPERVISED,
        found=f"{quote_text(answer)}, which is parsed as a different call, or as none",
        fix="check its values: texts in Unicode, numbers of at most 64 bits",
    )


def _check_tools(prompt: Prompt, chat: TokenizedChat, tokenizer: Any) -> Problem | None:
    """Check that the prompt's text has the called tools, and any tools that the template should write."""
    names = [call.skill for call in prompt.calls]
    if prompt.template_tools:
        messages = encode_messages(prompt.messages[:-1])
        text = render_prompt(tokenizer, messages, prompt.template_tools)
        is_shown = text != render_prompt(tokenizer, messages, None)
        missing = [name for name in names if name not in text]
    else:
        text = _decode(tokenizer, chat.prompt)
        is_shown = True
        missing = [name for name in names if re.search(rf"(?<!\w){re.escape(name)}\(", text) is None]
    if is_shown and not missing:
        return None
    return Problem(
        Reason.TOOL_NOT_IN_PROMPT,
        found=f"no {', '.join(missing or names) or 'tool'} in the prompt",
        fix="set render.tools to compact",
    )


def _decode(tokenizer: Any, tokens: Sequence[int]) -> str:
    return str(tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def encode_messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Convert messages to the dictionaries that chat templates take."""
    return [msgspec.structs.asdict(message) for message in messages]
