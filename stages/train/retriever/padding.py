"""Forward passes with little padding: the short texts of a batch do not wait for the long ones. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor

_PARTS: Final = 4
_TEXT: Final = ("input_ids", "attention_mask", "token_type_ids")
"""What has a column for each token."""


@contextmanager
def trim_padding(encoder: Any) -> Iterator[None]:
    """Make an encoder divide its batches by length within this block; its vectors are the same.

    Half of the tokens of a batch are padding if dialogues are among single utterances.
    """
    encode = encoder.forward

    def encode_in_parts(features: dict[str, Any], **options: Any) -> dict[str, Any]:
        lengths = features["attention_mask"].sum(1)
        order = torch.argsort(lengths, stable=True)
        vectors = [encode(_select(features, part), **options) for part in order.chunk(_PARTS)]
        joined = torch.cat([part["sentence_embedding"] for part in vectors])
        return {**features, "sentence_embedding": joined[torch.argsort(order)]}

    encoder.forward = encode_in_parts
    try:
        yield
    finally:
        del encoder.forward


def _select(features: dict[str, Any], rows: Tensor) -> dict[str, Any]:
    """Select rows of a batch, without the columns that are padding in all of them."""
    mask = features["attention_mask"][rows].bool().any(0)
    return {
        name: value[rows][:, mask] if name in _TEXT else _select_rows(value, rows, len(features["input_ids"]))
        for name, value in features.items()
    }


def _select_rows(value: Any, rows: Tensor, count: int) -> Any:
    return value[rows] if isinstance(value, Tensor) and value.dim() and len(value) == count else value
