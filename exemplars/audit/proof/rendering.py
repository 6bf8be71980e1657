"""A conversation as the messages of a chat template, and its rendered parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from exemplars.models.chat_templates import apply_template
from stages.ingest.chat.conversations import ChatTurn, Conversation, Role


class RenderedAnswer(NamedTuple):
    """A message of the assistant, as the template writes it."""

    turn: ChatTurn
    text: str
    """What the template writes after the prompt, or after the messages before, if the prompt is not continued."""
    continues_prompt: bool
    """Whether the chat with the answer begins with the prompt that a model gets: else, no prefix can be masked."""


class RenderedChat(NamedTuple):
    """A conversation, as the template writes it."""

    text: str
    text_without_tools: str
    answers: tuple[RenderedAnswer, ...]


def render_conversation(conversation: Conversation, tokenizer: Any) -> RenderedChat:
    """Render a conversation with its tools, and find the part of each answer.

    Raises `ChatTemplateError` if the template refuses it.
    """
    messages = list(_build_messages(conversation.turns))
    tools = list(conversation.tools) or None
    return RenderedChat(
        apply_template(tokenizer, messages, tools),
        apply_template(tokenizer, messages, None) if tools else "",
        tuple(_render_answers(conversation.turns, messages, tools, tokenizer)),
    )


def _render_answers(
    turns: Sequence[ChatTurn],
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Any] | None,
    tokenizer: Any,
) -> Iterator[RenderedAnswer]:
    for index, turn in enumerate(turns):
        if turn.role != Role.ASSISTANT:
            continue
        chat = apply_template(tokenizer, messages[: index + 1], tools)
        if index == 0:
            yield RenderedAnswer(turn, chat, continues_prompt=False)
            continue
        prompt = apply_template(tokenizer, messages[:index], tools, add_generation_prompt=True)
        continues = chat.startswith(prompt)
        start = len(prompt) if continues else _count_common(prompt, chat)
        yield RenderedAnswer(turn, chat[start:], continues)


def _count_common(first: str, second: str) -> int:
    """Count the code points that two texts begin with alike."""
    pairs = zip(first, second, strict=False)
    return next(
        (index for index, (left, right) in enumerate(pairs) if left != right), min(len(first), len(second))
    )


def _build_messages(turns: Sequence[ChatTurn]) -> Iterator[Mapping[str, Any]]:
    """Build the messages that a trainer gives to the template: the row's own, where it has them in that form."""
    number = 0
    for turn in turns:
        if turn.message is not None:
            yield turn.message
            continue
        message: dict[str, Any] = {"role": turn.role.value, "content": turn.content}
        if turn.calls:
            message["tool_calls"] = [
                {
                    "id": f"{number + index:09d}",  # Mistral's templates want nine letters or digits.
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for index, call in enumerate(turn.calls)
            ]
            number += len(turn.calls)
        elif turn.role == Role.TOOL:
            message["tool_call_id"] = f"{max(number - 1, 0):09d}"
        yield message
