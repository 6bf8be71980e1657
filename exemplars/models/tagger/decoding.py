"""The best tags of a text: Viterbi's algorithm over the transitions that tags allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from exemplars.models.tagger.features import SPECIAL, EncodedText
from exemplars.models.tagger.vocabulary import OUTSIDE

Scores = npt.NDArray[np.float64]
_NEVER: Final = -np.inf


class TaggedSpan(NamedTuple):
    """The words that fill a slot."""

    slot: int
    turn: int
    """`UTTERANCE`, or how many turns before it."""
    start: int
    end: int
    """Code points in the text of the turn, end exclusive."""
    score: float
    """The mean log-probability of its tags."""


def decode_tags(scores: Scores, turns: Sequence[int], begins_word: Sequence[bool]) -> list[int]:
    """Find the best tags: of the highest sum of scores, of those that are allowed.

    scores: log-probabilities, of shape (tokens, 1 + 2 * slots): outside, then begin and inside of each slot. A span
    begins with its begin tag, consists of whole words, and ends with its turn; special tokens have no tag.

    >>> scores = np.log([[0.1, 0.8, 0.1], [0.1, 0.7, 0.2], [0.2, 0.1, 0.7]])
    >>> decode_tags(scores, [0, 0, 0], [True, False, True])
    [1, 2, 2]
    """
    if not len(scores):
        return []
    tags = scores.shape[1]
    allowed = _list_transitions(tags)
    best = np.where(_list_first(tags, turns[0], begins_word[0]), scores[0], _NEVER)
    pointers = np.zeros(scores.shape, dtype=np.int64)
    for token in range(1, len(scores)):
        kind = _classify(turns, begins_word, token)
        paths = best[:, None] + np.where(allowed[kind], 0.0, _NEVER)
        pointers[token] = paths.argmax(axis=0)
        best = paths.max(axis=0) + scores[token]
    path = [int(best.argmax())]
    for token in range(len(scores) - 1, 0, -1):
        path.append(int(pointers[token, path[-1]]))
    return path[::-1]


def list_spans(tags: Sequence[int], scores: Scores, encoded: EncodedText) -> list[TaggedSpan]:
    """List the spans of tags; of several spans of a slot in the utterance, or before it, only the best."""
    best: dict[tuple[int, bool], TaggedSpan] = {}
    first = 0
    while first < len(tags):
        if tags[first] == OUTSIDE:
            first += 1
            continue
        last = first
        while last + 1 < len(tags) and tags[last + 1] == tags[first] + 1:
            last += 1
        mean = float(np.mean([scores[token, tags[token]] for token in range(first, last + 1)]))
        turn, start, end = encoded.turns[first], encoded.offsets[first][0], encoded.offsets[last][1]
        span = TaggedSpan((tags[first] - 1) // 2, turn, start, end, mean)
        key = (span.slot, turn > 0)
        if key not in best or best[key].score < span.score:
            best[key] = span
        first = last + 1
    return sorted(best.values(), key=lambda span: (span.turn, span.start))


def _classify(turns: Sequence[int], begins_word: Sequence[bool], token: int) -> str:
    """Classify a token by what may follow the token before it."""
    if turns[token] == SPECIAL:
        return "special"
    if turns[token] != turns[token - 1]:
        return "first"
    return "word" if begins_word[token] else "part"


def _list_first(tags: int, turn: int, begins_word: bool) -> npt.NDArray[Any]:
    """List which tags the first token may have: outside or begin, a special token only outside."""
    may_begin = turn != SPECIAL and begins_word
    return np.array([tag == OUTSIDE or (may_begin and tag % 2 == 1) for tag in range(tags)])


def _list_transitions(tags: int) -> dict[str, npt.NDArray[Any]]:
    """List which tag may follow which, by the kind of the second token."""
    numbers = np.arange(tags)
    slot = (numbers - 1) // 2
    begins, is_inside = numbers % 2 == 1, (numbers % 2 == 0) & (numbers > 0)
    continues = (slot[:, None] == slot[None, :]) & (numbers[:, None] > 0) & is_inside[None, :]
    to_outside = np.broadcast_to(numbers[None, :] == OUTSIDE, (tags, tags))
    to_new = to_outside | begins[None, :]
    return {
        "special": to_outside,
        "first": np.broadcast_to(to_new, (tags, tags)),
        "word": to_new | continues,
        "part": continues | (to_outside & to_outside.T),
    }
