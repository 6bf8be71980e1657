"""Encoded texts as tensors, which a network takes. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from exemplars.models.tagger.features import UTTERANCE, EncodedText
from exemplars.models.tagger.marks import UNMARKED
from exemplars.models.tagger.matches import Matcher


class Batch(NamedTuple):
    """Texts as tensors, padded on the right."""

    input_ids: Tensor
    """Of shape (rows, tokens), as are all."""
    segments: Tensor
    attended: Tensor
    """1 where there is a token."""
    said: Tensor
    """1 where there is a token of the utterance."""
    marks: Tensor
    """The marks of the tokens: (rows, tokens, marks)."""
    skill_matches: Tensor
    """What the texts have in common with each skill: (rows, skills, 2)."""
    choice_matches: Tensor
    """1 where an utterance says the value of a choice: (rows, choices)."""


def collate(texts: Sequence[EncodedText], pad: int, matcher: Matcher) -> Batch:
    """Pad texts to the longest of them. pad: the id of the padding token."""
    matches = [matcher.match(text) for text in texts]
    width = max(len(text.input_ids) for text in texts)

    def stack(rows: Sequence[Sequence[Any]], filler: Any) -> Tensor:
        return torch.tensor([[*row, *[filler] * (width - len(row))] for row in rows])

    return Batch(
        input_ids=stack([text.input_ids for text in texts], pad),
        segments=stack([text.segments for text in texts], 0),
        attended=stack([[1] * len(text.input_ids) for text in texts], 0),
        said=stack([[int(turn == UTTERANCE) for turn in text.turns] for text in texts], 0),
        marks=stack([text.marks or [UNMARKED] * len(text.input_ids) for text in texts], UNMARKED),
        skill_matches=torch.tensor([match.skills for match in matches]),
        choice_matches=torch.tensor([match.choices for match in matches]),
    )
