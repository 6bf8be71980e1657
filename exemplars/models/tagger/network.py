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


class TaggerNetwork(nn.Module):  # type: ignore[misc]
    """Scores of skills, tags and choices."""

    def __init__(self, encoder: Any, vocabulary: Vocabulary, dropout: float) -> None:
        """encoder: a transformer of transformers. dropout: before the heads."""
        super().__init__()
        self.encoder = encoder
        width = int(encoder.config.hidden_size)
        self.has_segments = int(getattr(encoder.config, "type_vocab_size", 0) or 0) > 1
        self.dropout = nn.Dropout(dropout)
        self.skill_head = nn.Linear(2 * width, 1 + len(vocabulary.skills))
        self.tag_head = nn.Linear(width, vocabulary.tag_starts[-1])
        self.choice_head = nn.Linear(2 * width, max(1, vocabulary.choice_starts[-1][-1]))

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Compute the logits of skills (rows, skills), tags (rows, tokens, tags) and choices (rows, choices)."""
        segments = {"token_type_ids": batch.segments} if self.has_segments else {}
        states = self.encoder(
            input_ids=batch.input_ids, attention_mask=batch.attended, **segments
        ).last_hidden_state
        said = batch.said.unsqueeze(-1).to(states.dtype)
        mean = (states * said).sum(1) / said.sum(1).clamp(min=1)
        pooled = self.dropout(torch.cat([states[:, 0], mean], dim=1))
        return self.skill_head(pooled), self.tag_head(self.dropout(states)), self.choice_head(pooled)

    def list_heads(self) -> list[nn.Module]:
        """List the modules that the encoder does not have."""
        return [self.skill_head, self.tag_head, self.choice_head]


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
