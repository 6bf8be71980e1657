"""The network of a tagger: an encoder with three heads. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from exemplars.models.tagger.features import UTTERANCE, EncodedText
from exemplars.models.tagger.vocabulary import Vocabulary


class Batch(NamedTuple):
    """Texts as tensors, padded on the right."""

    input_ids: Tensor
    """Of shape (rows, tokens), as are all."""
    segments: Tensor
    attended: Tensor
    """1 where there is a token."""
    said: Tensor
    """1 where there is a token of the utterance."""


class Head(nn.Module):  # type: ignore[misc]
    """Scores of outputs, each by weights of its own and by weights that all outputs share, applied to its description.

    What few rows teach about an output is then learned from the rows of those that are described alike, too.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        """inputs: the width of what is scored. width: of the vectors of the descriptions."""
        super().__init__()
        self.own = nn.Linear(inputs, outputs)
        self.shared = nn.Linear(inputs, width, bias=False)
        self.register_buffer("vectors", torch.zeros(outputs, width))

    def forward(self, states: Tensor) -> Tensor:
        """Compute the scores: of shape (..., outputs)."""
        return self.own(states) + self.shared(states) @ self.vectors.T


class TaggerNetwork(nn.Module):  # type: ignore[misc]
    """Scores of skills, tags and choices."""

    def __init__(self, encoder: Any, vocabulary: Vocabulary, dropout: float) -> None:
        """encoder: a transformer of transformers. dropout: before the heads."""
        super().__init__()
        self.encoder = encoder
        width = int(encoder.config.hidden_size)
        self.has_segments = int(getattr(encoder.config, "type_vocab_size", 0) or 0) > 1
        self.dropout = nn.Dropout(dropout)
        self.skill_head = Head(3 * width, 1 + len(vocabulary.skills), width)
        self.tag_head = Head(width, vocabulary.tag_starts[-1], 2 * width)
        self.choice_head = Head(3 * width, max(1, vocabulary.choice_starts[-1][-1]), width)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Compute the logits of skills (rows, skills), tags (rows, tokens, tags) and choices (rows, choices)."""
        states = self.encode(batch)
        pooled = [states[:, 0], _average(states, batch.said), _average(states, batch.attended - batch.said)]
        row = self.dropout(torch.cat(pooled, dim=1))
        return self.skill_head(row), self.tag_head(self.dropout(states)), self.choice_head(row)

    def encode(self, batch: Batch) -> Tensor:
        """Encode texts: of shape (rows, tokens, width)."""
        segments = {"token_type_ids": batch.segments} if self.has_segments else {}
        states: Tensor = self.encoder(
            input_ids=batch.input_ids, attention_mask=batch.attended, **segments
        ).last_hidden_state
        return states

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def set_descriptions(self, skills: Tensor, slots: Tensor, choices: Tensor) -> None:
        """Set the vectors of the descriptions: of shape (skills, width), (slots, width) and (choices, width)."""
        width = slots.shape[1]
        self.skill_head.vectors[1:] = skills
        self.tag_head.vectors[1::2, :width] = slots
        self.tag_head.vectors[2::2, width:] = slots
        self.choice_head.vectors[: len(choices)] = choices

    def list_own_weights(self) -> list[nn.Parameter]:
        """List the weights that belong to a single output, which are random at first."""
        heads = (self.skill_head, self.tag_head, self.choice_head)
        return [weights for head in heads for weights in head.own.parameters()]


def _average(states: Tensor, mask: Tensor) -> Tensor:
    """Average the states where the mask is 1; zero if it is nowhere."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


def collate(texts: Sequence[EncodedText], pad: int) -> Batch:
    """Pad texts to the longest of them. pad: the id of the padding token."""
    width = max(len(text.input_ids) for text in texts)

    def stack(rows: Sequence[Sequence[int]], filler: int) -> Tensor:
        return torch.tensor([[*row, *[filler] * (width - len(row))] for row in rows])

    return Batch(
        input_ids=stack([text.input_ids for text in texts], pad),
        segments=stack([text.segments for text in texts], 0),
        attended=stack([[1] * len(text.input_ids) for text in texts], 0),
        said=stack([[int(turn == UTTERANCE) for turn in text.turns] for text in texts], 0),
    )
