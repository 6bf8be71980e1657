"""Messages as tokens, by the chat template of a tokenizer, or by a default one.

Templates are rendered by transformers, in Jinja's sandbox.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from jinja2 import TemplateError

ChatMessage = Mapping[str, str]
"""A message with `role` (system, user, assistant) and `content`."""

OWN_TEMPLATE: Final = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
"""For a tokenizer without a template: a line with the role, the content, the end token."""


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
    """Render a chat. If the template rejects a system role, the system text is prepended to the next message."""
    turns = list(messages)
    if (
        turns
        and turns[0]["role"] == "system"
        and not _accepts_system(tokenizer, find_chat_template(tokenizer))
    ):
        first = turns[1] if len(turns) > 1 else {"role": "user", "content": ""}
        turns = [{**first, "content": f"{turns[0]['content']}\n\n{first['content']}"}, *turns[2:]]
    return _apply_template(tokenizer, turns, tools, **options)


@functools.lru_cache(maxsize=8)
def _accepts_system(tokenizer: Any, _template: str) -> bool:
    messages = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    try:
        _apply_template(tokenizer, messages, None)
    except ChatTemplateError:
        return False
    return True


def _apply_template(
    tokenizer: Any, messages: Sequence[ChatMessage], tools: Sequence[Any] | None, **options: Any
) -> str:
    try:
        return str(
            tokenizer.apply_chat_template(
                list(messages),
                tools=list(tools) if tools else None,
                chat_template=find_chat_template(tokenizer),
                tokenize=False,
                **options,
            )
        )
    except (TemplateError, TypeError) as error:
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


def encode_text(tokenizer: Any, text: str) -> list[int]:
    """Tokenize a text that already contains all its special tokens."""
    return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
