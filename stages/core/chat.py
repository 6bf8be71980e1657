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


class Unwritable(ValueError):
    """A chat that the template refuses, such as one that the assistant begins; its message says why."""


class Rendered(NamedTuple):
    """A chat as tokens."""

    prompt: list[int]
    completion: list[int]
    """Up to the token that ends the answer, with it; what a template puts behind is left out."""


def template_of(tokenizer: Any) -> str:
    """The chat template that a tokenizer is used with; of several, by name, the one named `default`."""
    found = tokenizer.chat_template
    if isinstance(found, Mapping):
        found = found.get("default")
    return str(found or OWN_TEMPLATE)


def prompt_text(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Any] | None) -> str:
    """The text that a model goes on from. Raises `Unwritable`."""
    return _written(tokenizer, messages, tools, add_generation_prompt=True)


def end_of_turn(tokenizer: Any) -> int:
    """The token that ends an answer: the special one that the template writes behind it.

    Where it writes none there, the tokenizer's end token.
    """
    return _end_of_turn(tokenizer, template_of(tokenizer))


@functools.lru_cache(maxsize=8)
def _end_of_turn(tokenizer: Any, _template: str) -> int:
    asked = [{"role": "user", "content": "a"}]
    try:
        before = prompt_text(tokenizer, asked, None)
        whole = _written(tokenizer, [*asked, {"role": "assistant", "content": "b"}], None)
    except Unwritable:
        return int(tokenizer.eos_token_id)
    behind = encoded(tokenizer, whole[len(before) + 1 :]) if whole.startswith(f"{before}b") else []
    special = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
    return behind[0] if behind and behind[0] in special else int(tokenizer.eos_token_id)


def _written(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Any] | None, **options: Any) -> str:
    """A chat as its template writes it. Where that has no system message, its text begins the first other."""
    rows = list(messages)
    if rows and rows[0]["role"] == "system" and not _takes_system(tokenizer, template_of(tokenizer)):
        first = rows[1] if len(rows) > 1 else {"role": "user", "content": ""}
        rows = [{**first, "content": f"{rows[0]['content']}\n\n{first['content']}"}, *rows[2:]]
    return _applied(tokenizer, rows, tools, **options)


@functools.lru_cache(maxsize=8)
def _takes_system(tokenizer: Any, _template: str) -> bool:
    rows = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    try:
        _applied(tokenizer, rows, None)
    except Unwritable:
        return False
    return True


def _applied(tokenizer: Any, rows: Sequence[Message], tools: Sequence[Any] | None, **options: Any) -> str:
    try:
        return str(
            tokenizer.apply_chat_template(
                list(rows),
                tools=list(tools) if tools else None,
                chat_template=template_of(tokenizer),
                tokenize=False,
                **options,
            )
        )
    except (TemplateError, TypeError) as error:
        raise Unwritable((str(error).splitlines() or ["nothing"])[0]) from None


def rendered(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Any] | None) -> Rendered:
    """The tokens of a chat whose last message is the answer.

    The prompt and the answer are tokenized apart, as they are when a model is asked. Where the template
    does not write the answer right behind the prompt, the completion is empty. Raises `Unwritable`.
    """
    before = prompt_text(tokenizer, messages[:-1], tools)
    whole = _written(tokenizer, messages, tools)
    prompt = encoded(tokenizer, before)
    if not whole.startswith(before):
        return Rendered(prompt, [])
    completion = encoded(tokenizer, whole[len(before) :])
    end = end_of_turn(tokenizer)
    ends = [place for place, token in enumerate(completion) if token == end]
    return Rendered(prompt, completion[: ends[-1] + 1] if ends else completion)


def encoded(tokenizer: Any, text: str) -> list[int]:
    """The tokens of a text that has all its special tokens already."""
    return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
