"""The passes of LSR over its questions, and the loss over all of them. Imports torch."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from stages.train.lsr.loss import LikelihoodLoss
from stages.train.params import Shared
from stages.train.recipe_params import Lsr

_BATCH = 32


def plan_passes(questions: int, recipe: Lsr, shared: Shared) -> tuple[list[int], list[int]]:
    """Plan the order of the questions in all passes, and how many of them each step has. The seed determines it.

    >>> plan_passes(3, Lsr(learning_rate=1.0, epochs=1, batch_rows=2), Shared(seed=1))
    ([0, 2, 1], [2, 1])
    """
    draw = random.Random(shared.seed)
    order: list[int] = []
    sizes: list[int] = []
    for _ in range(recipe.epochs):
        order += draw.sample(range(questions), questions)
        sizes += [
            min(recipe.batch_rows, questions - start) for start in range(0, questions, recipe.batch_rows)
        ]
    sizes = sizes[: shared.max_steps]
    return order[: sum(sizes)], sizes


@torch.inference_mode()  # type: ignore[untyped-decorator]
def compute_loss(loss: LikelihoodLoss, texts: Sequence[str]) -> float:
    """Compute the mean loss over all questions, without dropout."""
    loss.model.eval()
    total = 0.0
    for start in range(0, len(texts), _BATCH):
        batch = list(texts[start : start + _BATCH])
        features = loss.model.preprocess(batch, prompt=loss.model.prompts["query"])
        numbers = torch.arange(start, start + len(batch))
        total += float(loss([features], numbers)) * len(batch)
    return total / len(texts)
