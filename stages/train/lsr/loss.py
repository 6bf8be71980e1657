"""The loss of LSR: how far a retriever's distribution over examples is from that of a generator. Imports torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from stages.train.recipe_params import Direction, Lsr


def compute_divergence(scores: Tensor, likelihoods: Tensor, recipe: Lsr) -> Tensor:
    """Compute the mean over questions of the KL divergence between P, of the retriever, and Q, of the generator.

    P is the softmax of the scores, cosine similarities, and Q that of the log-likelihoods per token, each divided by
    its temperature. `forward` is KL(Q || P), as in the code of REPLUG and Atlas; `reverse` is KL(P || Q), as in the
    paper of REPLUG (arXiv 2301.12652). scores, likelihoods: of shape (questions, examples).
    """
    retriever = torch.log_softmax(scores / recipe.retriever_temperature, dim=-1)
    generator = torch.log_softmax(likelihoods / recipe.generator_temperature, dim=-1)
    first, second = (
        (generator, retriever) if recipe.direction == Direction.FORWARD else (retriever, generator)
    )
    return (first.exp() * (first - second)).sum(dim=-1).mean()


class LikelihoodLoss(torch.nn.Module):  # type: ignore[misc]
    """The divergence of a batch of questions. The vectors of the examples are given: their encoder is not trained."""

    def __init__(self, encoder: torch.nn.Module, examples: Tensor, likelihoods: Tensor, recipe: Lsr) -> None:
        """examples: vectors, of shape (questions, examples, width). likelihoods: of shape (questions, examples)."""
        super().__init__()
        self.model = encoder
        self.examples = examples
        self.likelihoods = likelihoods
        self.recipe = recipe

    def forward(self, features: Iterable[dict[str, Any]], labels: Tensor) -> Tensor:
        """Compute the loss. labels: the numbers of the questions."""
        vectors = self.model(next(iter(features)))["sentence_embedding"][:, : self.examples.shape[-1]]
        vectors = torch.nn.functional.normalize(vectors, dim=-1)
        numbers = labels.flatten().long().cpu()
        examples = self.examples[numbers].to(vectors)
        scores = torch.einsum("qw,qew->qe", vectors, examples)
        return compute_divergence(scores, self.likelihoods[numbers].to(vectors), self.recipe)
