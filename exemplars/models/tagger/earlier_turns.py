"""Values that an earlier turn says: its words and the choice of the slot are weighed together."""

from __future__ import annotations

from typing import Final, NamedTuple

from exemplars.models.tagger.decoding import Scores, TaggedSpan
from exemplars.models.tagger.features import UTTERANCE, EncodedText
from exemplars.models.tagger.vocabulary import OUTSIDE

_NEVER: Final = float("-inf")


class Evidence(NamedTuple):
    """The likeliest words of a slot in the turns before."""

    span: TaggedSpan
    gain: float
    """By how much they make the tags likelier than if they were no words of the slot: the difference of
    log-probabilities, negative if the tags say that they are not."""


def find_evidence(scores: Scores, tags: list[int], encoded: EncodedText, place: int) -> Evidence | None:
    """Find the likeliest words of a slot in the turns before; `None` if there are no words.

    scores: log-probabilities of the tags of a skill, of shape (tokens, tags). tags: the best ones. place: of the slot.
    """
    begin, inside = 1 + 2 * place, 2 + 2 * place
    best: tuple[float, int, int] | None = None
    gain, first = _NEVER, 0
    for token, turn in enumerate(encoded.turns):
        if turn <= UTTERANCE:
            gain = _NEVER
            continue
        tag = OUTSIDE if tags[token] in (begin, inside) else tags[token]
        gained = {option: float(scores[token, option] - scores[token, tag]) for option in (begin, inside)}
        continued = gain + gained[inside] if turn == encoded.turns[token - 1] else _NEVER
        gain = continued
        if encoded.begins_word[token] and gained[begin] >= continued:
            gain, first = gained[begin], token
        ends_word = token + 1 == len(encoded.turns) or encoded.turns[token + 1] != turn
        ends_word = ends_word or encoded.begins_word[token + 1]
        if ends_word and gain > _NEVER and (best is None or gain > best[0]):
            best = (gain, first, token)
    if best is None:
        return None
    gain, first, last = best
    start, end = encoded.offsets[first][0], encoded.offsets[last][1]
    return Evidence(TaggedSpan(place, encoded.turns[first], start, end, gain), gain)
