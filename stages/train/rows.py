"""Chat rows and raw texts as a trainer takes them: `input_ids` and `labels`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from exemplars.core.digests import hash_content
from exemplars.models.chat_templates import encode_text
from exemplars.models.rows import View

IGNORED: Final = -100
"""The label of a position that is not supervised (PyTorch's `ignore_index`)."""


class PromptRow(msgspec.Struct, frozen=True, gc=False):
    """The columns of a `TrainingRow` that training reads."""

    digests: tuple[str, ...]
    view: View
    tools: str
    input_ids: tuple[int, ...]
    prompt_tokens: int
    """How many of the `input_ids`, from the first, are masked."""


class TokenRow(msgspec.Struct, frozen=True, gc=False):
    """One row for a trainer."""

    input_ids: list[int]
    labels: list[int]
    """The `input_ids`, with `IGNORED` at masked positions."""
    key: str
    """Rows with the same key begin with the same tokens."""


def build_chat_rows(prompts: Iterable[PromptRow]) -> list[TokenRow]:
    """Mask the prompts of chat rows, so that only their answers are supervised."""
    return [
        TokenRow(
            input_ids=list(prompt.input_ids),
            labels=[IGNORED] * prompt.prompt_tokens + list(prompt.input_ids[prompt.prompt_tokens :]),
            key=f"{prompt.view} {prompt.tools}",
        )
        for prompt in prompts
    ]


def sort_by_hash(rows: Iterable[TokenRow]) -> list[TokenRow]:
    """Sort rows by the hash of their content, so that the first n are a sample that stays the same.

    The hash is taken of the row's `repr` as a dictionary: run names depend on it.
    """
    return sorted(rows, key=lambda row: hash_content(repr(msgspec.structs.asdict(row)).encode()))


def build_text_rows(texts: Mapping[str, str], tokenizer: Any, block_tokens: int) -> list[TokenRow]:
    """Concatenate texts by name, an end token after each, and cut them into blocks; every token is supervised.

    A last block of a single token is dropped: it has nothing to predict.
    """
    tokens: list[int] = []
    for name in sorted(texts):
        tokens += [*encode_text(tokenizer, texts[name].strip()), int(tokenizer.eos_token_id)]
    blocks = enumerate(_cut_blocks(tokens, block_tokens))
    return [TokenRow(input_ids=block, labels=list(block), key=str(number)) for number, block in blocks]


def _cut_blocks(tokens: Sequence[int], length: int) -> Iterator[list[int]]:
    for start in range(0, len(tokens), length):
        block = list(tokens[start : start + length])
        if len(block) > 1:
            yield block
