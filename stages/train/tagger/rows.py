"""The rows of a tagger: which it can learn, and the ledger of those that it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from exemplars.core.ledger import Ledger, Problem
from exemplars.core.records import Exemplar, Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.models.tagger.features import EncodedText, Target, build_target, encode_text
from exemplars.models.tagger.vocabulary import Vocabulary


class TaggerInput(NamedTuple):
    """What a tagger is trained from."""

    skills: Sequence[Skill]
    train: Sequence[Exemplar]
    validation: Sequence[Exemplar]


class TaggerRow(NamedTuple):
    """A row as the network takes it."""

    encoded: EncodedText
    target: Target


class Encoder(NamedTuple):
    """Encodes rows, always with the same window."""

    tokenizer: Any
    vocabulary: Vocabulary
    skills: Mapping[str, Skill]
    max_tokens: int
    context_turns: int

    def encode(self, exemplar: Exemplar) -> TaggerRow | Problem:
        """Encode a row; or report why it cannot be learned."""
        context: Sequence[Turn] = exemplar.context[-self.context_turns :] if self.context_turns else ()
        encoded = encode_text(self.tokenizer, exemplar.utterance, exemplar.speaker, context, self.max_tokens)
        if isinstance(encoded, Problem):
            return encoded
        skill = None if exemplar.skill is None else self.skills.get(exemplar.skill)
        target = build_target(exemplar, encoded, self.vocabulary, skill)
        return target if isinstance(target, Problem) else TaggerRow(encoded, target)

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
        row = encoder.encode(exemplar)
        return row if isinstance(row, Problem) else None

    return ledger.keep(exemplars, find_problem)


def encode_epoch(
    encoder: Encoder, exemplars: Sequence[Exemplar], change: Callable[[Exemplar], Exemplar]
) -> Iterator[TaggerRow]:
    """Encode the rows of an epoch. change: draws the form of a row; a form that does not fit is not used."""
    for exemplar in exemplars:
        row = encoder.encode(change(exemplar))
        if isinstance(row, Problem):
            row = encoder.encode(exemplar)
        assert not isinstance(row, Problem), "select_rows leaves only rows that can be encoded"
        yield row
