"""The rows that a retriever learns from, and the hard negatives of each: rows of other skills that are like it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from exemplars.core.ledger import Ledger, Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.core.turns import group_by_turn
from exemplars.dataset.texts import compute_jaccard, make_shingles, make_similarity_text

NEGATIVES: Final = 16
"""Hard negatives of a row, at most."""
_NEAR_DUPLICATE: Final = 0.8
"""The Jaccard similarity of near duplicates: `curate.duplicates.similarity` by default."""
_BLOCK: Final = 512


class Anchor(NamedTuple):
    """A row as a retriever learns from it."""

    query: str
    """What is asked, after the turns before it."""
    documents: tuple[str, ...]
    """Its texts in the index: template and utterance."""
    skill: str | None
    turn_skills: frozenset[str | None]
    """The skills of all calls of its turn: none of them is wrong."""
    group: str
    utterance: str


def select_rows(
    exemplars: Sequence[Exemplar], count_tokens: Callable[[str], int], max_tokens: int, ledger: Ledger
) -> list[Exemplar]:
    """Select the rows whose utterance fits into the window of the encoder; the others go to the ledger."""

    def find_problem(exemplar: Exemplar) -> Problem | None:
        tokens = count_tokens(exemplar.utterance)
        if tokens <= max_tokens:
            return None
        return Problem(
            Reason.TOO_LONG,
            found=f"an utterance of {tokens} tokens",
            expected=f"at most {max_tokens} tokens, the window of the encoder",
            fix="shorten it, raise max_tokens of the recipe, or choose an encoder with a longer window",
        )

    return ledger.keep(exemplars, find_problem)


def build_anchors(exemplars: Iterable[Exemplar], join: Callable[[str, Exemplar], str]) -> list[Anchor]:
    """Build the anchors of rows, in their order. join: adds the turns before a text."""
    rows = list(exemplars)
    skills = {turn: frozenset(call.skill for call in calls) for turn, calls in group_by_turn(rows).items()}
    return [
        Anchor(
            query=join(row.utterance, row),
            documents=tuple(join(text, row) for text in dict.fromkeys((row.exemplar, row.utterance))),
            skill=row.skill,
            turn_skills=skills[row.turn],
            group=row.group,
            utterance=row.utterance,
        )
        for row in rows
    ]


def mine_negatives(
    anchors: Sequence[Anchor], queries: Any, documents: Any, count: int = NEGATIVES
) -> list[list[int]]:
    """Find the hard negatives of each anchor: the places of the anchors whose documents are most like its query.

    None of them has a skill of its turn, its group, or nearly its words. Labels are proved, so no margin of similarity
    has to keep away rows that are right without a label that says so. queries, documents: unit vectors of the anchors,
    of shape (anchors, width).
    """
    skills = _number([anchor.skill for anchor in anchors])
    groups = _number([anchor.group for anchor in anchors])
    shingles = [make_shingles(make_similarity_text(anchor.utterance)) for anchor in anchors]
    names = {anchor.skill: skills[place] for place, anchor in enumerate(anchors)}
    negatives: list[list[int]] = []
    for start in range(0, len(anchors), _BLOCK):
        similarities = queries[start : start + _BLOCK] @ documents.T
        for place, row in enumerate(similarities, start):
            own = [names[skill] for skill in anchors[place].turn_skills]
            row[np.isin(skills, own) | (groups == groups[place])] = -np.inf
            nearest = np.argsort(-row, kind="stable")[: 2 * count]
            negatives.append(
                [
                    int(other)
                    for other in nearest
                    if np.isfinite(row[other])
                    and compute_jaccard(shingles[place], shingles[other]) < _NEAR_DUPLICATE
                ][:count]
            )
    return negatives


def _number(names: Sequence[str | None]) -> Any:
    """Number names in the order of their first occurrence."""
    numbers: Mapping[str | None, int] = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)
