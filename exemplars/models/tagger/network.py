"""The network of a tagger: an encoder with three heads. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn

from exemplars.models.tagger.marks import MARKS
from exemplars.models.tagger.tensors import Batch
from exemplars.models.tagger.vocabulary import NO_SKILL, Vocabulary

_CONTEXT_WEIGHT: Final = 0.5
"""How much the turns before count at first, compared with the utterance."""
_TOKEN_WEIGHT: Final = 0.3
"""How much the similarity of a token counts at first; states of tokens are longer than their averages."""
_SKILL_MATCH_WEIGHTS: Final = (1.0, 0.5)
_CHOICE_MATCH_WEIGHT: Final = 2.0
"""How much common words count at first."""


class Scores(NamedTuple):
    """The logits of a batch."""

    skills: Tensor
    """Of "no call" and each skill: (rows, skills)."""
    several: Tensor
    """That several skills are called, as log-odds: (rows,)."""
    tags: Tensor
    """(rows, tokens, tags)."""
    choices: Tensor
    """(rows, choices)."""


class Head(nn.Module):  # type: ignore[misc]
    """Scores of outputs, each by weights of its own and by weights that all outputs share, applied to its description.

    What few rows teach about an output is then learned from the rows of those that are described alike, too, and an
    output that no row teaches has the score of its description.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        """inputs: the width of what is scored. width: of the vectors of the descriptions."""
        super().__init__()
        self.own = nn.Linear(inputs, outputs)
        self.shared = nn.Linear(inputs, width, bias=False)
        self.register_buffer("vectors", torch.zeros(outputs, width))

    def forward(self, states: Tensor, is_own: Tensor | None = None) -> Tensor:
        """Compute the scores: of shape (..., outputs). is_own: 0 for outputs whose own weights are left out."""
        own = self.own(states)
        return (own if is_own is None else own * is_own) + self.shared(states) @ self.vectors.T


class Reader(nn.Module):  # type: ignore[misc]
    """The part of a text that matters for each thing that is asked: attention whose queries are descriptions."""

    def __init__(self, width: int, asked: int, owners: Sequence[int]) -> None:
        """asked: the number of things that are asked. owners: for each output, which of them it answers."""
        super().__init__()
        self.query = nn.Linear(width, width)
        self.own = nn.Linear(width, len(owners), bias=False)
        self.shared = nn.Linear(width, width, bias=False)
        self.register_buffer("asked", torch.zeros(asked, width))
        self.register_buffer("owners", torch.tensor(owners), persistent=False)

    def forward(
        self, states: Tensor, attended: Tensor, vectors: Tensor, is_own: Tensor | None = None
    ) -> Tensor:
        """Compute the scores of the outputs: (rows, outputs). vectors: of their descriptions."""
        scores = states @ self.query(self.asked).T / math.sqrt(states.shape[-1])
        scores = scores.masked_fill(attended.unsqueeze(-1) == 0, torch.finfo(scores.dtype).min)
        read = scores.softmax(dim=1).transpose(1, 2) @ states
        # A product for each output: of all outputs with all that is asked, most would be for nothing.
        weights = torch.stack([self.own.weight, vectors @ self.shared.weight], dim=2)
        products = read.index_select(1, self.owners).transpose(0, 1) @ weights
        own, shared = products.permute(2, 1, 0)
        return (own if is_own is None else own * is_own) + shared


class TaggerNetwork(nn.Module):  # type: ignore[misc]
    """Scores of skills, tags and choices."""

    def __init__(self, encoder: Any, vocabulary: Vocabulary, dropout: float) -> None:
        """encoder: a transformer of transformers. dropout: before the heads."""
        super().__init__()
        self.encoder = encoder
        self.has_bf16 = False
        """Whether the encoder computes in bf16, which training may set. The heads are in fp32."""
        _disable_attention_dropout(encoder)
        width = int(encoder.config.hidden_size)
        self.has_segments = int(getattr(encoder.config, "type_vocab_size", 0) or 0) > 1
        self.dropout = nn.Dropout(dropout)
        self.skill_head = Head(3 * width, 1 + len(vocabulary.skills), width)
        self.several_head = nn.Linear(3 * width, 1)
        self.tag_head = Head(width, vocabulary.tag_starts[-1], 2 * width)
        owners = _list_choice_slots(vocabulary)
        self.choice_head = Head(3 * width, len(owners), width)
        self.slot_reader = Reader(width, max(1, vocabulary.tag_starts[-1] // 2), owners)
        self.mark = nn.Linear(MARKS, width, bias=False)
        self.tag_mark = nn.Linear(MARKS, 2, bias=False)
        skills = range(1 + len(vocabulary.skills))
        self.skill_reader = Reader(width, len(skills), skills)
        self.register_buffer("tag_skills", torch.tensor(_list_tag_skills(vocabulary)), persistent=False)
        self.register_buffer("choice_skills", torch.tensor(_list_choice_skills(vocabulary)), persistent=False)
        self.skill_match = nn.Parameter(torch.tensor(_SKILL_MATCH_WEIGHTS))
        self.choice_match = nn.Parameter(torch.tensor(_CHOICE_MATCH_WEIGHT))
        self._start_from_similarity(width)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _start_from_similarity(self, width: int) -> None:
        """Let the score of a description be, at first, how similar the text is to it, as the encoder has learned."""
        heads = (self.skill_head.own, self.tag_head.own, self.choice_head.own, self.several_head)
        marks = (self.mark, self.tag_mark)
        for layer in (*heads, *marks, self.skill_reader.own, self.slot_reader.own):
            for weights in layer.parameters():
                weights.zero_()
        identity = torch.eye(width)
        weights = self.skill_head.shared.weight
        weights.zero_()
        weights[:, width : 2 * width], weights[:, 2 * width :] = identity, _CONTEXT_WEIGHT * identity
        self.tag_head.shared.weight.copy_(_TOKEN_WEIGHT * torch.cat([identity, identity]))
        self.skill_reader.shared.weight.zero_()
        self.slot_reader.shared.weight.copy_(_TOKEN_WEIGHT * identity)

    def forward(self, batch: Batch, with_own: Tensor | None = None) -> Scores:
        """Compute the scores of texts.

        with_own: 1 for each "no call" and skill of a row whose own weights count, (rows, skills); `None`: all.
        """
        states = self.encode(batch)
        pooled = [states[:, 0], _average(states, batch.said), _average(states, batch.attended - batch.said)]
        row, states = self.dropout(torch.cat(pooled, dim=1)), self.dropout(states + self.mark(batch.marks))
        of_tags = of_choices = None
        if with_own is not None:
            of_tags = with_own[:, self.tag_skills].unsqueeze(1)
            of_choices = with_own[:, self.choice_skills]
        skills = self.skill_head(row, with_own)
        skills = skills + self.skill_reader(states, batch.attended, self.skill_head.vectors, with_own)
        skills = skills + batch.skill_matches @ self.skill_match
        choices = self.choice_head(row, of_choices)
        choices = choices + self.slot_reader(states, batch.attended, self.choice_head.vectors, of_choices)
        choices = choices + batch.choice_matches * self.choice_match
        return Scores(
            skills,
            self.several_head(row).squeeze(-1),
            self._score_tags(states, batch, of_tags),
            choices,
        )

    def _score_tags(self, states: Tensor, batch: Batch, is_own: Tensor | None) -> Tensor:
        """Score the tags; marks make beginning and inside of all slots likelier alike."""
        scores: Tensor = self.tag_head(states, is_own)
        slots = (scores.shape[2] - 1) // 2
        marked = self.tag_mark(batch.marks).repeat(1, 1, slots)
        return torch.cat([scores[:, :, :1], scores[:, :, 1:] + marked], dim=2)

    def encode(self, batch: Batch) -> Tensor:
        """Encode texts: of shape (rows, tokens, width)."""
        segments = {"token_type_ids": batch.segments} if self.has_segments else {}
        with torch.autocast(batch.input_ids.device.type, torch.bfloat16, enabled=self.has_bf16):
            output = self.encoder(input_ids=batch.input_ids, attention_mask=batch.attended, **segments)
        states: Tensor = output.last_hidden_state.float()
        return states

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def set_descriptions(self, skills: Tensor, slots: Tensor, choices: Tensor) -> None:
        """Set the vectors of the descriptions: of shape (skills, width), (slots, width) and (choices, width)."""
        width = slots.shape[1]
        self.skill_head.vectors[1:] = skills
        self.tag_head.vectors[1::2, :width] = slots
        self.tag_head.vectors[2::2, width:] = slots
        self.choice_head.vectors[: len(choices)] = choices
        self.slot_reader.asked[: len(slots)] = slots
        self.skill_reader.asked[1:] = skills

    def list_own_weights(self) -> list[nn.Parameter]:
        """List the weights of single outputs and of matches: at the rate of the encoder, they would hardly move."""
        heads = (self.skill_head.own, self.tag_head.own, self.choice_head.own, self.several_head)
        layers = (*heads, self.mark, self.tag_mark, self.skill_reader.own, self.slot_reader.own)
        own = [weights for layer in layers for weights in layer.parameters()]
        return [*own, self.skill_match, self.choice_match]


def _disable_attention_dropout(encoder: Any) -> None:
    """Disable dropout of attention weights, which takes a seventh of a training step on a CPU."""
    for module in encoder.modules() if isinstance(encoder, nn.Module) else ():
        dropout = getattr(module, "dropout", None)
        if type(module).__name__.endswith("SelfAttention") and isinstance(dropout, nn.Dropout):
            dropout.p = 0.0


def _list_tag_skills(vocabulary: Vocabulary) -> list[int]:
    """List the number of the skill of each tag; the tag outside has that of "no call"."""
    numbers = [NO_SKILL]
    for number, skill in enumerate(vocabulary.skills, 1):
        numbers += [number] * (2 * len(skill.slots))
    return numbers


def _list_choice_skills(vocabulary: Vocabulary) -> list[int]:
    """List the number of the skill of each choice; without any choice, one of "no call"."""
    numbers = [
        number
        for number, skill in enumerate(vocabulary.skills, 1)
        for slot in skill.slots
        for _ in slot.choices
    ]
    return numbers or [NO_SKILL]


def _list_choice_slots(vocabulary: Vocabulary) -> list[int]:
    """List the slot of each choice, counted over all skills; without any choice, one of the first slot."""
    slots = [slot for skill in vocabulary.skills for slot in skill.slots]
    return [place for place, slot in enumerate(slots) for _ in slot.choices] or [0]


def _average(states: Tensor, mask: Tensor) -> Tensor:
    """Average the states where the mask is 1; zero if it is nowhere."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)
