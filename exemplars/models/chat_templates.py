"""Messages as tokens, by the chat template of a tokenizer, or by a default one.

Templates are rendered by transformers, in Jinja's sandbox, with limits of time and memory.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.errors import suggest_name
from exemplars.models.template_limits import TemplateLimitError, limit_time, try_within_limits

ChatMessage = Mapping[str, str]
"""A message with `role` (system, user, assistant, tool) and `content`."""

RESULT_PREFIX: Final = "Result of the tool: "
"""What begins a tool's message where a template has no role for it, so that the user seems to say it."""

OWN_TEMPLATE: Final = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
"""For a tokenizer without a template: a line with the role, the content, the end token."""


_CONTROL_SHAPE: Final = r"<\|[^\s<>|]+\|>"
"""How most tokenizers spell control tokens; default templates write them even if they are not tokens."""
_TEMPLATE_MARKER: Final = re.compile(r"\[/?[A-Z_]{3,}\]|<</?[A-Z]{2,}>>")
"""What templates write between turns as plain text: `[INST]`, `<<SYS>>`."""


class ChatTemplateError(ValueError):
    """The template refuses a chat, for example one that begins with the assistant; the message says why."""


class TokenizedChat(NamedTuple):
    """The token ids of a chat."""

    prompt: list[int]
    completion: list[int]
    """The answer up to and including the end-of-turn token; anything the template appends is dropped."""


def find_chat_template(tokenizer: Any) -> str:
    """Find the chat template of a tokenizer; of several named ones, `default`."""
    template = tokenizer.chat_template
    if isinstance(template, Mapping):
        template = template.get("default")
    return str(template or OWN_TEMPLATE)


class UnreadArgument(NamedTuple):
    """An argument that a chat template does not read."""

    name: str
    suggestion: str
    """What may be meant; empty if nothing is similar."""


def set_template_arguments(
    tokenizer: Any, arguments: Mapping[str, bool | int | float | str]
) -> UnreadArgument | None:
    """Set arguments of a tokenizer's chat template; return the first that the template does not read.

    They become a part of the template, so that a saved tokenizer renders as training did, whoever loads it.
    """
    if not arguments:
        return None
    template = find_chat_template(tokenizer)
    words = set(re.findall(r"[^\W\d]\w*", template))
    for name in arguments:
        if name not in words:
            similar = sorted(word for word in words if word[0] == name[0])
            return UnreadArgument(name, suggest_name(name, similar))
    settings = "".join(f"{{% set {name} = {json.dumps(value)} %}}" for name, value in arguments.items())
    tokenizer.chat_template = settings + template
    return None


def render_prompt(tokenizer: Any, messages: Sequence[ChatMessage], tools: Sequence[Any] | None) -> str:
    """Render the text that a model continues.

    messages: without the answer. tools: OpenAI-style definitions for the template, or `None`.
    Raises `ChatTemplateError` if the template refuses the messages.
    """
    return _render_chat(tokenizer, messages, tools, add_generation_prompt=True)


def find_end_of_turn(tokenizer: Any) -> int:
    """Find the id of the token that ends an answer: the special token that the template writes after it.

    Falls back to the tokenizer's end token if the template writes none there.
    """
    return _find_end_of_turn(tokenizer, find_chat_template(tokenizer))


@functools.lru_cache(maxsize=8)
def _find_end_of_turn(tokenizer: Any, _template: str) -> int:
    question = [{"role": "user", "content": "a"}]
    try:
        prompt = render_prompt(tokenizer, question, None)
        chat = _render_chat(tokenizer, [*question, {"role": "assistant", "content": "b"}], None)
    except ChatTemplateError:
        return int(tokenizer.eos_token_id)
    rest = encode_text(tokenizer, chat[len(prompt) + 1 :]) if chat.startswith(f"{prompt}b") else []
    special = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
    return rest[0] if rest and rest[0] in special else int(tokenizer.eos_token_id)


def _render_chat(
    tokenizer: Any, messages: Sequence[ChatMessage], tools: Sequence[Any] | None, **options: Any
) -> str:
    """Render a chat in the roles that the template accepts.

    Without a role for the system, its text is prepended to the next message; without one for tools, their results are
    the user's messages.
    """
    turns = list(messages)
    if any(turn["role"] == "tool" for turn in turns) and not _accepts_tool(
        tokenizer, find_chat_template(tokenizer)
    ):
        turns = _merge_results(turns)
    if (
        turns
        and turns[0]["role"] == "system"
        and not _accepts_system(tokenizer, find_chat_template(tokenizer))
    ):
        first = turns[1] if len(turns) > 1 else {"role": "user", "content": ""}
        turns = [{**first, "content": f"{turns[0]['content']}\n\n{first['content']}"}, *turns[2:]]
    return apply_template(tokenizer, turns, tools, **options)


@functools.lru_cache(maxsize=8)
def _accepts_system(tokenizer: Any, _template: str) -> bool:
    messages = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    try:
        apply_template(tokenizer, messages, None)
    except ChatTemplateError:
        return False
    return True


@functools.lru_cache(maxsize=8)
def _accepts_tool(tokenizer: Any, _template: str) -> bool:
    """Return whether the template shows a message of the role `tool`, whose call is text of the assistant."""
    turns = [("user", "a"), ("assistant", "b"), ("tool", "result")]
    messages = [{"role": role, "content": content} for role, content in turns]
    try:
        return "result" in apply_template(tokenizer, messages, None)
    except ChatTemplateError:
        return False


def _merge_results(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Make results the user's messages, joined with what the user says next: many templates want roles to alternate."""
    merged: list[ChatMessage] = []
    ends_with_result = False
    for message in messages:
        is_result = message["role"] == "tool"
        content = f"{RESULT_PREFIX}{message['content']}" if is_result else message["content"]
        if ends_with_result and (is_result or message["role"] == "user"):
            content = f"{merged.pop()['content']}\n{content}"
        merged.append({"role": "user" if is_result else message["role"], "content": content})
        ends_with_result = is_result
    return merged


def apply_template(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] | None, **options: Any
) -> str:
    """Render a chat as trainers do: messages and tools go to the template as they are.

    messages: with `role`, `content` and, of the assistant, `tool_calls`. options: for the template, such as
    `add_generation_prompt`. Raises `ChatTemplateError` if the template refuses them.
    """
    template = find_chat_template(tokenizer)
    if problem := _find_limit(tokenizer, template):
        raise ChatTemplateError(problem)
    try:
        return _apply_unchecked(tokenizer, template, messages, tools, **options)
    except TemplateLimitError as error:
        raise ChatTemplateError(str(error)) from None


@functools.lru_cache(maxsize=8)
def _find_limit(tokenizer: Any, template: str) -> str | None:
    """Render short chats in a process of their own, and say which limit the template exceeds; `None`: none."""
    turns = [{"role": role, "content": "a"} for role in ("system", "user", "assistant", "user")]
    tool = {"type": "function", "function": {"name": "a", "description": "", "parameters": {}}}

    def render_samples() -> None:
        result = [*turns[1:3], {"role": "tool", "content": "a"}]
        for messages in (turns[1:2], turns[:2], turns[1:3], turns, result):
            for tools in (None, [tool]):
                for prompts in (False, True):
                    try:
                        _apply_unchecked(tokenizer, template, messages, tools, add_generation_prompt=prompts)
                    except ChatTemplateError:
                        continue  # A template may refuse some chats.

    return try_within_limits(render_samples)


def _apply_unchecked(
    tokenizer: Any,
    template: str,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Any] | None,
    **options: Any,
) -> str:
    try:
        with limit_time():
            return str(
                tokenizer.apply_chat_template(
                    list(messages),
                    tools=list(tools) if tools else None,
                    chat_template=template,
                    tokenize=False,
                    **options,
                )
            )
    except TemplateLimitError:
        raise
    except Exception as error:
        raise ChatTemplateError((str(error).splitlines() or ["nothing"])[0]) from None


def tokenize_chat(
    tokenizer: Any, messages: Sequence[ChatMessage], tools: Sequence[Any] | None
) -> TokenizedChat:
    """Tokenize a chat whose last message is the answer.

    The prompt and the answer are tokenized separately, as they are at inference. The completion is empty
    if the template does not write the answer directly after the prompt.
    Raises `ChatTemplateError` if the template refuses the messages.
    """
    prompt = render_prompt(tokenizer, messages[:-1], tools)
    chat = _render_chat(tokenizer, messages, tools)
    prompt_ids = encode_text(tokenizer, prompt)
    if not chat.startswith(prompt):
        return TokenizedChat(prompt_ids, [])
    completion = encode_text(tokenizer, chat[len(prompt) :])
    end = find_end_of_turn(tokenizer)
    ends = [index for index, token in enumerate(completion) if token == end]
    return TokenizedChat(prompt_ids, completion[: ends[-1] + 1] if ends else completion)


def find_control_text(tokenizer: Any, text: str) -> str | None:
    """Find a control token of the tokenizer, or of its template, that a text spells; `None`: it spells none.

    As a part of a chat, it would be read as the control token: it could end a turn, or begin another.
    """
    match = _compile_control_texts(tokenizer, find_chat_template(tokenizer)).search(text)
    return None if match is None else match[0]


def find_forged_token(
    tokenizer: Any, messages: Sequence[ChatMessage], tools: Sequence[Any] | None, chat: TokenizedChat
) -> str | None:
    """Find a control token of a chat that its template does not write by itself; `None`: it has none.

    Compares the control tokens of the chat with those of a chat of the same turns that say nothing else.
    """
    roles = tuple((message["role"], "a" if message["content"].strip() else "") for message in messages)
    try:
        expected = _list_template_tokens(
            tokenizer, find_chat_template(tokenizer), roles, msgspec.json.encode(tools or [])
        )
    except ChatTemplateError:
        return next(filter(None, (_find_in_tokens(tokenizer, message) for message in messages)), None)
    control = _list_control_ids(tokenizer)
    tokens = [token for token in (*chat.prompt, *chat.completion) if token in control]
    if tokens == list(expected):
        return None
    differing = (
        token
        for token, other in itertools.zip_longest(tokens, expected)
        if token != other and token is not None
    )
    return str(tokenizer.decode([next(differing, expected[-1])]))


@functools.lru_cache(maxsize=4096)
def _list_template_tokens(
    tokenizer: Any, _template: str, roles: tuple[tuple[str, str], ...], tools: bytes
) -> tuple[int, ...]:
    messages = [{"role": role, "content": content} for role, content in roles]
    chat = tokenize_chat(tokenizer, messages, msgspec.json.decode(tools))
    control = _list_control_ids(tokenizer)
    return tuple(token for token in (*chat.prompt, *chat.completion) if token in control)


def _find_in_tokens(tokenizer: Any, message: ChatMessage) -> str | None:
    control = _list_control_ids(tokenizer)
    tokens = (token for token in encode_text(tokenizer, message["content"]) if token in control)
    return next((str(tokenizer.decode([token])) for token in tokens), None)


@functools.lru_cache(maxsize=8)
def _list_control_ids(tokenizer: Any) -> Mapping[int, str]:
    """List the control tokens: all special tokens, and other added ones of the usual form, with their texts."""
    tokens = {
        int(token_id): token.content
        for token_id, token in tokenizer.added_tokens_decoder.items()
        if token.special or (token.content[:1] in "<[" and token.content[-1:] in ">]")
    }
    tokens.update(zip(map(int, tokenizer.all_special_ids), tokenizer.all_special_tokens, strict=True))
    return tokens


@functools.lru_cache(maxsize=8)
def _compile_control_texts(tokenizer: Any, template: str) -> re.Pattern[str]:
    texts = {text for text in _list_control_ids(tokenizer).values() if text.strip()}
    texts.update(_TEMPLATE_MARKER.findall(template))
    longest_first = sorted(texts, key=lambda text: (-len(text), text))
    return re.compile("|".join([*map(re.escape, longest_first), _CONTROL_SHAPE]))


def encode_text(tokenizer: Any, text: str) -> list[int]:
    """Tokenize a text that already contains all its special tokens."""
    return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
