"""What was said, as messages that every chat template and trainer accepts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from exemplars.core.records import Speaker, Turn
from exemplars.dataset.context_calls import MadeCall, format_context_turn, parse_context_turn


class ChatMessage(NamedTuple):
    """A message of a conversation."""

    speaker: Speaker
    content: str
    calls: tuple[MadeCall, ...] = ()
    """The calls that this message of the assistant made, and whose results follow."""


def build_conversation(turns: Sequence[Turn], tools: Collection[str]) -> list[ChatMessage]:
    """Build the messages of turns, so that a user begins, and user and assistant alternate.

    An empty message of the user is put before a conversation that begins otherwise. Turns of one speaker in a row are
    joined, except results of calls. A result that no call of a known tool precedes is given as what the user says.

    tools: the names of the tools that the row defines.
    """
    messages = _join_messages(_separate_calls(turns, tools))
    if not messages or messages[0].speaker is not Speaker.USER:
        messages.insert(0, ChatMessage(Speaker.USER, ""))
    return messages


def keeps_turns(messages: Sequence[ChatMessage], turns: Sequence[Turn]) -> bool:
    """Return whether the messages, read one by one, are the turns."""
    return [_read_turn(message) for message in messages] == list(turns)


def alternate_messages(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Join the results of several calls, and put an empty answer between a result and what the user says next.

    So every message of user or tool is followed by one of the assistant.
    """
    joined: list[ChatMessage] = []
    for is_result, group in groupby(messages, lambda message: message.speaker is Speaker.TOOL):
        found = list(group)
        if is_result:
            found = [ChatMessage(Speaker.TOOL, "\n".join(message.content for message in found))]
        elif joined and found[0].speaker is Speaker.USER:
            joined.append(ChatMessage(Speaker.ASSISTANT, ""))
        joined += found
    return joined


def _read_turn(message: ChatMessage) -> Turn:
    return Turn(message.speaker, format_context_turn(message.content, message.calls))


def _separate_calls(turns: Sequence[Turn], tools: Collection[str]) -> Iterator[ChatMessage]:
    """Yield a message for each turn, with the calls of the assistant where results of them follow."""
    is_answered = False
    for turn, following in zip(turns, [*turns[1:], None], strict=True):
        speaker, content = turn.speaker, turn.utterance
        calls: tuple[MadeCall, ...] = ()
        if speaker is Speaker.ASSISTANT:
            if following is not None and following.speaker is Speaker.TOOL:
                text, made = parse_context_turn(turn.utterance)
                if all(call.name in tools for call in made):
                    content, calls = text, made
            is_answered = bool(calls)
        elif speaker is Speaker.TOOL and not is_answered:
            speaker = Speaker.USER
        elif speaker is Speaker.USER:
            is_answered = False
        yield ChatMessage(speaker, content, calls)


def _join_messages(messages: Iterator[ChatMessage]) -> list[ChatMessage]:
    joined: list[ChatMessage] = []
    for message in messages:
        before = joined[-1] if joined else None
        if before is None or message.speaker is Speaker.TOOL or before.speaker is not message.speaker:
            joined.append(message)
        else:
            content = f"{before.content}\n{message.content}"
            joined[-1] = ChatMessage(before.speaker, content, (*before.calls, *message.calls))
    return joined
