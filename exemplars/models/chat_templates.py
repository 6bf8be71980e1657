"""Messages as the tokens of a model: by the chat template that its tokenizer brings, or by ours.

Templates are rendered by transformers, in Jinja's sandbox.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from jinja2 import TemplateError

Message = Mapping[str, str]
"""`role` (system, user, assistant) and `content`."""

OWN_TEMPLATE: Final = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
"""For a model that brings none: the role on a line, the content, the tokenizer's end token."""


class ChatTemplateError(ValueError):
    """A chat that the template refuses, such as one that the assistant begins; its message says why."""


class TokenizedChat(NamedTuple):
    """A chat as tokens."""

    prompt: list[int]
    completion: list[int]
    """Up to the token that ends the answer, with it; what a template puts behind is left out."""


def find_chat_template(tokenizer: Any) -> str:
    """The chat template that a tokenizer is used with; of several, by name, the one named `default`."""
    found = tokenizer.chat_template
    if isinstance(found, Mapping):
        found = found.get("default")
    return str(found or OWN_TEMPLATE)


def render_prompt(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Any] | None) -> str:
    """The text that a model goes on from. Raises `ChatTemplateError`."""
    return _render_chat(tokenizer, messages, tools, add_generation_prompt=True)


def find_end_of_turn(tokenizer: Any) -> int:
    """The token that ends an answer: the special one that the template writes behind it.

    Where it writes none there, the tokenizer's end token.
    """
    return _find_end_of_turn(tokenizer, find_chat_template(tokenizer))


@functools.lru_cache(maxsize=8)
def _find_end_of_turn(tokenizer: Any, _template: str) -> int:
    asked = [{"role": "user", "content": "a"}]
    try:
        before = render_prompt(tokenizer, asked, None)
        whole = _render_chat(tokenizer, [*asked, {"role": "assistant", "content": "b"}], None)
    except ChatTemplateError:
        return int(tokenizer.eos_token_id)
    behind = encode_text(tokenizer, whole[len(before) + 1 :]) if whole.startswith(f"{before}b") else []
    special = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
    return behind[0] if behind and behind[0] in special else int(tokenizer.eos_token_id)


def _render_chat(
    tokenizer: Any, messages: Sequence[Message], tools: Sequence[Any] | None, **options: Any
) -> str:
    """A chat as its template writes it. Where that has no system message, its text begins the first other."""
    rows = list(messages)
    if rows and rows[0]["role"] == "system" and not _accepts_system(tokenizer, find_chat_template(tokenizer)):
        first = rows[1] if len(rows) > 1 else {"role": "user", "content": ""}
        rows = [{**first, "content": f"{rows[0]['content']}\n\n{first['content']}"}, *rows[2:]]
    return _apply_template(tokenizer, rows, tools, **options)


@functools.lru_cache(maxsize=8)
def _accepts_system(tokenizer: Any, _template: str) -> bool:
    rows = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    try:
        _apply_template(tokenizer, rows, None)
    except ChatTemplateError:
        return False
    return True


def _apply_template(
    tokenizer: Any, rows: Sequence[Message], tools: Sequence[Any] | None, **options: Any
) -> str:
    try:
        return str(
            tokenizer.apply_chat_template(
                list(rows),
                tools=list(tools) if tools else None,
                chat_template=find_chat_template(tokenizer),
                tokenize=False,
                **options,
            )
        )
    except (TemplateError, TypeError) as error:
        raise ChatTemplateError((str(error).splitlines() or ["nothing"])[0]) from None


def tokenize_chat(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Any] | None) -> TokenizedChat:
    """The tokens of a chat whose last message is the answer.

    The prompt and the answer are tokenized apart, as they are when a model is asked. Where the template
    does not write the answer right behind the prompt, the completion is empty. Raises `ChatTemplateError`.
    """
    before = render_prompt(tokenizer, messages[:-1], tools)
    whole = _render_chat(tokenizer, messages, tools)
    prompt = encode_text(tokenizer, before)
    if not whole.startswith(before):
        return TokenizedChat(prompt, [])
    completion = encode_text(tokenizer, whole[len(before) :])
    end = find_end_of_turn(tokenizer)
    ends = [place for place, token in enumerate(completion) if token == end]
    return TokenizedChat(prompt, completion[: ends[-1] + 1] if ends else completion)


def encode_text(tokenizer: Any, text: str) -> list[int]:
    """The tokens of a text that has all its special tokens already."""
    return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
