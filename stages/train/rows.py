"""Chat rows and raw texts as what a trainer takes: `input_ids` and `labels`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from exemplars.models.chat_templates import encode_text
from stages.train.batches import IGNORED

Row = dict[str, Any]
"""`input_ids`, `labels` (`IGNORED` where masked), and `key`: rows with one key begin alike."""


def chat_rows(table: pa.Table) -> list[Row]:
    """The rows of a table of `TRAINING_SCHEMA`; their prompts are masked."""
    columns = (table.column(name).to_pylist() for name in ("input_ids", "prompt_tokens", "view", "tools"))
    return [
        {"input_ids": ids, "labels": [IGNORED] * masked + ids[masked:], "key": f"{view} {tools}"}
        for ids, masked, view, tools in zip(*columns, strict=True)
    ]


def text_rows(texts: Mapping[str, str], tokenizer: Any, block_tokens: int) -> list[Row]:
    """Texts behind one another, by name, an end token behind each, in blocks; every token is supervised."""
    tokens: list[int] = []
    for name in sorted(texts):
        tokens += [*encode_text(tokenizer, texts[name].strip()), int(tokenizer.eos_token_id)]
    blocks = enumerate(_blocks(tokens, block_tokens))
    return [{"input_ids": block, "labels": list(block), "key": str(number)} for number, block in blocks]


def _blocks(tokens: Sequence[int], length: int) -> Iterator[list[int]]:
    for start in range(0, len(tokens), length):
        block = list(tokens[start : start + length])
        if len(block) > 1:
            yield block
