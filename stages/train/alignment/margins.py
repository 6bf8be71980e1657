"""How often a model prefers the chosen side of pairs that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from trl.trainer.dpo_trainer import DataCollatorForPreference

from exemplars.core.bootstrap import Figure, Resamples, divide_or_nan
from stages.train.alignment.tree_forward import compute_logprobs_in_trees, compute_scores_in_trees
from stages.train.rows import IGNORED

_BATCH_PAIRS: Final = 8
_RESAMPLES: Final = 1000


def measure_margins(model: Any, pairs: Sequence[Mapping[str, Any]], *, is_scorer: bool) -> list[float]:
    """Measure how much more a model gives the chosen than the rejected side of each pair.

    Of a scorer, the difference of scores; of a language model, that of the log-likelihoods. pairs: of `build_pairs`.
    """
    base = model.get_base_model()
    (compute_scores_in_trees if is_scorer else compute_logprobs_in_trees)(base)
    collate = DataCollatorForPreference(pad_token_id=0)
    margins: list[float] = []
    was_training = model.training
    model.eval()
    for start in range(0, len(pairs), _BATCH_PAIRS):
        batch = collate([dict(pair) for pair in pairs[start : start + _BATCH_PAIRS]])
        batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
        with torch.inference_mode():
            chosen, rejected = _rate_sides(model, batch, is_scorer).chunk(2)
        margins += (chosen - rejected).tolist()
    model.train(was_training)
    return margins


def compute_pair_accuracy(margins: Sequence[float], groups: Sequence[str]) -> Figure:
    """Compute the share of pairs whose chosen side is preferred, with an interval by the bootstrap over groups.

    Without pairs it is undefined.
    """
    if not margins:
        return Figure(None, None, None)
    columns = {"preferred": np.array([margin > 0 for margin in margins], dtype=np.float64)}
    metrics = {"accuracy": lambda sums: divide_or_nan(sums["preferred"], sums["rows"])}
    resamples = Resamples(groups, _RESAMPLES, 1)
    return resamples.compute_figures(columns, range(len(margins)), metrics)["accuracy"]


def _rate_sides(model: Any, batch: Mapping[str, Any], is_scorer: bool) -> Any:
    """Rate the chosen sides of a batch, then the rejected ones."""
    inputs = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}
    if is_scorer:
        return model(**inputs).logits.squeeze(-1).float()
    labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, IGNORED)
    return model(**inputs, labels=labels, fused_lm_head=True).log_probs.sum(dim=1)
