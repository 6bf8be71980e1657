"""The rows of a tagger: which it can learn, and the ledger of those that it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from exemplars.core.ledger import Ledger, Problem
from exemplars.core.records import Exemplar, Speaker
from exemplars.dataset.catalog import Skill
from exemplars.models.tagger.features import EncodedText, Target, build_target, encode_text
from exemplars.models.tagger.vocabulary import NO_SKILL, Vocabulary


class TaggerInput(NamedTuple):
    """What a tagger is trained from."""

    skills: Sequence[Skill]
    train: Sequence[Exemplar]
    validation: Sequence[Exemplar]


class TaggerRow(NamedTuple):
    """A turn as the network takes it."""

    encoded: EncodedText
    targets: tuple[Target, ...]
    """Of each call, of different skills; of a turn without a call, a single one."""


class Encoder(NamedTuple):
    """Encodes rows, always with the same window."""

    tokenizer: Any
    vocabulary: Vocabulary
    skills: Mapping[str, Skill]
    max_tokens: int
    context_turns: int

    def encode(self, turn: Sequence[Exemplar]) -> TaggerRow | Problem:
        """Encode the calls of a turn; or report why one of them cannot be learned."""
        first = turn[0]
        encoded = encode_text(
            self.tokenizer,
            first.utterance,
            first.speaker,
            first.context,
            self.max_tokens,
            self.context_turns,
        )
        if isinstance(encoded, Problem):
            return encoded
        targets: dict[int, Target] = {}
        for exemplar in turn:
            skill = None if exemplar.skill is None else self.skills.get(exemplar.skill)
            target = build_target(exemplar, encoded, self.vocabulary, skill)
            if isinstance(target, Problem):
                return target
            targets.setdefault(target.skill, target)
        if len(targets) > 1:
            targets.pop(NO_SKILL, None)
        return TaggerRow(encoded, tuple(targets.values()))

    def encode_start(self, text: str) -> EncodedText:
        """Encode a text without context, and cut it if it does not fit."""
        words = text.split()
        while True:
            encoded = encode_text(self.tokenizer, " ".join(words), Speaker.USER, (), self.max_tokens)
            if not isinstance(encoded, Problem):
                return encoded
            words = words[: len(words) * 3 // 4]


def select_rows(encoder: Encoder, exemplars: Sequence[Exemplar], ledger: Ledger) -> list[Exemplar]:
    """Select the rows that the encoder can encode; the others go to the ledger."""

    def find_problem(exemplar: Exemplar) -> Problem | None:
        row = encoder.encode([exemplar])
        return row if isinstance(row, Problem) else None

    return ledger.keep(exemplars, find_problem)


def encode_epoch(
    encoder: Encoder,
    turns: Sequence[Sequence[Exemplar]],
    change: Callable[[Sequence[Exemplar]], Sequence[Exemplar]],
) -> Iterator[TaggerRow]:
    """Encode the turns of an epoch. change: draws the form of a turn; a form that does not fit is not used."""
    for turn in turns:
        row = encoder.encode(change(turn))
        if isinstance(row, Problem):
            row = encoder.encode(turn)
        assert not isinstance(row, Problem), "select_rows leaves only rows that can be encoded"
        yield row
