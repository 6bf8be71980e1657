"""How the attention of an encoder is computed while it is trained. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def use_plain_attention(model: Any) -> Iterator[None]:
    """Compute the attention of a model of transformers by plain matrix products within this block, on a CPU.

    With a padding mask, torch's fused attention takes a third of a training step in bf16 for its gradients alone
    (torch 2.13, docs/train.md). The results differ in their last digits.
    """
    fused = model.config._attn_implementation
    if torch.cuda.is_available() or not model._can_set_attn_implementation():
        yield
        return
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(fused)
