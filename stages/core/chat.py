"""Messages as the tokens of a model: by the chat template that its tokenizer brings, or by ours.

Templates are rendered by transformers, in Jinja's sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

Message = Mapping[str, str]
"""`role` (system, user, assistant) and `content`."""

OWN_TEMPLATE: Final = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
"""For a model that brings none: the role on a line, the content, the tokenizer's end token."""


class Rendered(NamedTuple):
    """A chat as tokens."""

    prompt: list[int]
    completion: list[int]
    """Up to the token that ends the answer, with it; what a template puts behind is left out."""


def template_of(tokenizer: Any) -> str:
    """The chat template that a tokenizer is used with."""
    return str(tokenizer.chat_template or OWN_TEMPLATE)


def prompt_text(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Any] | None) -> str:
    """The text that a model goes on from."""
    return str(
        tokenizer.apply_chat_template(
            list(messages),
            tools=list(tools) if tools else None,
            chat_template=template_of(tokenizer),
            add_generation_prompt=True,
            tokenize=False,
        )
    )


def rendered(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Any] | None) -> Rendered:
    """The tokens of a chat whose last message is the answer.

    The prompt and the answer are tokenized apart, as they are when a model is asked. Where the template
    does not write the answer right behind the prompt, the completion is empty.
    """
    before = prompt_text(tokenizer, messages[:-1], tools)
    whole = tokenizer.apply_chat_template(
        list(messages),
        tools=list(tools) if tools else None,
        chat_template=template_of(tokenizer),
        tokenize=False,
    )
    prompt = encoded(tokenizer, before)
    if not whole.startswith(before):
        return Rendered(prompt, [])
    completion = encoded(tokenizer, whole[len(before) :])
    ends = [place for place, token in enumerate(completion) if token == tokenizer.eos_token_id]
    return Rendered(prompt, completion[: ends[-1] + 1] if ends else completion)


def encoded(tokenizer: Any, text: str) -> list[int]:
    """The tokens of a text that has all its special tokens already."""
    return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
