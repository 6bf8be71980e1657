"""The checks of a rendered conversation: what was meant must be in what the model gets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from exemplars.audit.proof.findings import Finding, RowFinding, RowProof
from exemplars.audit.proof.rendering import RenderedAnswer, RenderedChat, render_conversation
from exemplars.core.errors import quote_text, summarize_names
from exemplars.core.ledger import Problem
from exemplars.models.chat_templates import (
    ChatTemplateError,
    encode_text,
    find_control_text,
    find_end_of_turn,
)
from stages.ingest.chat.call_checks import RESULT_WITHOUT_CALL
from stages.ingest.chat.conversations import Conversation, Role, ToolCall
from stages.ingest.chat.dialects import read_conversation

_WORDS: Final = {True: ("true", "True"), False: ("false", "False"), None: ("null", "None")}


def prove_row(place: str, row: Any, tokenizer: Any, limit: int | None) -> RowProof:
    """Prove that a row reaches the tokens as it was meant, or say what does not.

    place: of the row, for the report. row: what the file holds, or a `Problem`. limit: the number of tokens of the
    model's context; `None`: unknown.
    """
    conversation = row if isinstance(row, Problem) else read_conversation(row)
    if isinstance(conversation, Problem):
        finding = RowFinding(Finding.INCONSISTENT, "", conversation.sentence)
        return RowProof(place, None, 0, 0, 0, (finding,))
    findings = [
        RowFinding(Finding.INCONSISTENT, fault.pointer, fault.problem.sentence)
        for fault in conversation.faults
        if not (fault.problem.found == RESULT_WITHOUT_CALL and _has_calls_as_text(conversation))
    ]
    calls = sum(len(turn.calls) for turn in conversation.turns)
    tokens = supervised = 0
    try:
        chat = render_conversation(conversation, tokenizer)
    except ChatTemplateError as error:
        findings.append(_describe_refusal(conversation, str(error)))
    else:
        tokens = len(encode_text(tokenizer, chat.text))
        supervised = _count_supervised(chat, tokenizer)
        findings += _check_chat(conversation, chat, tokenizer)
        if limit is not None and tokens > limit:
            findings.append(RowFinding(Finding.CUT, "", f"{tokens:,} tokens, of which {limit:,} fit"))
    return RowProof(place, conversation.dialect.value, calls, tokens, supervised, tuple(findings))


def _has_calls_as_text(conversation: Conversation) -> bool:
    """Return whether calls, if there are any, can only be the text of messages, as an export for TRL has them."""
    return not conversation.tools and not any(turn.calls for turn in conversation.turns)


def _describe_refusal(conversation: Conversation, error: str) -> RowFinding:
    """Describe that a template refuses a row, with the message that it fails at, if that has no content."""
    message = f"the template says: {quote_text(error)}"
    if "content" in error or "NoneType" in error:
        for turn in conversation.turns:
            if turn.message is not None and turn.message.get("content") is None:
                advice = 'this message has no content, which the template reads: write "content": ""'
                return RowFinding(Finding.TEMPLATE_REFUSES, turn.pointer, f"{message}; {advice}")
    return RowFinding(Finding.TEMPLATE_REFUSES, "", message)


def _check_chat(conversation: Conversation, chat: RenderedChat, tokenizer: Any) -> Iterator[RowFinding]:
    yield from _check_tools(conversation, chat)
    yield from _check_messages(conversation, chat)
    yield from _check_control_tokens(conversation, tokenizer)
    answers = [answer for answer in chat.answers if answer.turn.is_supervised]
    if not answers:
        yield RowFinding(Finding.NOTHING_SUPERVISED, "", "no message of the assistant that is to be learned")
    for answer in answers:
        yield from _check_answer(answer, tokenizer)


def _check_tools(conversation: Conversation, chat: RenderedChat) -> Iterator[RowFinding]:
    """Check that the name and the parameters of each tool are in the text only because the tool is given."""
    for index, tool in enumerate(conversation.tools):
        function = tool["function"]
        names = [function["name"], *(function["parameters"].get("properties") or ())]
        lost = [
            name
            for name in names
            if not _has_text(chat.text, name) or chat.text.count(name) <= chat.text_without_tools.count(name)
        ]
        if lost:
            what = (
                f"the tool {function['name']} is not in the prompt"
                if function["name"] in lost
                else f"parameters of {function['name']} are not in the prompt: {summarize_names(lost)}"
            )
            yield RowFinding(Finding.TOOL_LOST, f"/tools/{index}", what)


def _check_messages(conversation: Conversation, chat: RenderedChat) -> Iterator[RowFinding]:
    for turn in conversation.turns:
        text = turn.content.strip()
        if text and not _has_text(chat.text, text):
            message = f"the {turn.role}'s text {quote_text(text)} is not in the chat"
            yield RowFinding(Finding.MESSAGE_LOST, turn.pointer, message)


def _check_control_tokens(conversation: Conversation, tokenizer: Any) -> Iterator[RowFinding]:
    for turn in conversation.turns:
        values = (text for call in turn.calls for text in _list_texts(call.arguments))
        for text in (turn.content, *values):
            if (token := find_control_text(tokenizer, text)) is not None:
                message = (
                    f"the text spells {token!r}, which the model takes for the end or beginning of a turn"
                )
                yield RowFinding(Finding.CONTROL_TOKEN, turn.pointer, message)
                break


def _check_answer(answer: RenderedAnswer, tokenizer: Any) -> Iterator[RowFinding]:
    pointer = answer.turn.pointer
    if not answer.continues_prompt:
        message = "the template writes the answer in another way than the prompt that asks for it"
        yield RowFinding(Finding.NOT_SUPERVISED, pointer, message)
    elif find_end_of_turn(tokenizer) not in encode_text(tokenizer, answer.text):
        message = "the answer has no end-of-turn token: a model does not learn to stop"
        yield RowFinding(Finding.END_NOT_SUPERVISED, pointer, message)
    for call in answer.turn.calls:
        if (finding := _check_call(call, answer.text)) is not None:
            yield finding


def _check_call(call: ToolCall, text: str) -> RowFinding | None:
    """Check that the name and all values of a call are in the text of its answer."""
    lost = [] if _has_text(text, call.name) else [call.name]
    lost += [
        name
        for name, value in call.arguments.items()
        if not (_has_text(text, name) and all(_has_value(text, leaf) for leaf in _list_leaves(value)))
    ]
    encoded = json.dumps(json.dumps(dict(call.arguments), ensure_ascii=False), ensure_ascii=False)
    raw = json.dumps(call.text, ensure_ascii=False) if call.text is not None else encoded
    if call.arguments and (raw[1:-1] in text or encoded[1:-1] in text) and '\\"' in raw:
        message = f"the arguments of {call.name} are JSON text inside JSON: give them as an object"
        return RowFinding(Finding.ENCODED_TWICE, call.pointer, message)
    if lost:
        message = f"not in the answer of {call.name}: {summarize_names(lost)}"
        return RowFinding(Finding.CALL_LOST, call.pointer, message)
    return None


def _list_leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield name
            yield from _list_leaves(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _list_leaves(child)
    else:
        yield value


def _list_texts(value: Any) -> Iterator[str]:
    return (leaf for leaf in _list_leaves(value) if isinstance(leaf, str))


def _has_value(text: str, value: Any) -> bool:
    if isinstance(value, str):
        return _has_text(text, value)
    words = (
        _WORDS.get(value, ())
        if value is None or isinstance(value, bool)
        else (json.dumps(value), repr(value))
    )
    return any(word in text for word in words)


def _has_text(text: str, part: str) -> bool:
    """Return whether a text has a part as it is, or as JSON or HTML-safe JSON writes it."""
    if part in text:
        return True
    forms = {json.dumps(part, ensure_ascii=is_ascii)[1:-1] for is_ascii in (False, True)}
    forms |= {
        form.replace("'", "\\u0027").replace("<", "\\u003c").replace(">", "\\u003e") for form in set(forms)
    }
    return any(form in text or form.replace("&", "\\u0026") in text for form in forms)


def _count_supervised(chat: RenderedChat, tokenizer: Any) -> int:
    return sum(
        len(encode_text(tokenizer, answer.text))
        for answer in chat.answers
        if answer.continues_prompt and answer.turn.is_supervised and answer.turn.role == Role.ASSISTANT
    )
