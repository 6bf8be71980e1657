"""Likelihoods of right answers by a generator, whose weights are not trained. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from stages.train.batches import LeftPaddingCollator, measure_supervised_width
from stages.train.rows import IGNORED, TokenRow


@torch.inference_mode()  # type: ignore[untyped-decorator]
def measure_likelihoods(generator: Any, rows: Sequence[TokenRow], pad: int) -> list[float]:
    """Measure the log-likelihood per token of the answers, all rows in one batch. pad: the id of the padding token.

    Per token, because a product over 20 tokens is 0 for every example but one.
    """
    batch = LeftPaddingCollator(pad)([{"input_ids": row.input_ids, "labels": row.labels} for row in rows])
    labels = batch.pop("labels")
    kept = min(measure_supervised_width(labels) + 1, labels.shape[1])
    logits = generator(**batch, use_cache=False, logits_to_keep=kept).logits[:, -kept:-1].float()
    targets = labels[:, labels.shape[1] - kept + 1 :]
    mask = targets != IGNORED
    chosen = logits.log_softmax(-1).gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    means = (chosen * mask).sum(1) / mask.sum(1).clamp(min=1)
    return [round(float(mean), 6) for mean in means]
