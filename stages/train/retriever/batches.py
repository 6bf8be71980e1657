"""Batches that hold a skill once, so that every other document of a batch is a true negative."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from stages.train.retriever.anchors import Anchor


class Pair(NamedTuple):
    """A question, and a document that is right for it."""

    query: str
    document: str


class _Choice(NamedTuple):
    """A place in a batch: the anchor, and the place of the row that is its document."""

    anchor: int
    document: int


class BatchPlanner:
    """Plans the batches of a training; the seed determines all of them."""

    def __init__(
        self,
        anchors: Sequence[Anchor],
        descriptions: Mapping[str, str],
        negatives: Sequence[Sequence[int]],
        mined_share: float,
        seed: int,
    ) -> None:
        """descriptions: of skills. negatives: of each anchor, the hardest first, as places of anchors."""
        self.anchors = anchors
        self.descriptions = descriptions
        self.negatives = negatives
        self.mined_share = mined_share
        self.random = random.Random(seed)
        self.places: dict[str | None, list[int]] = {}
        for place, anchor in enumerate(anchors):
            self.places.setdefault(anchor.skill, []).append(place)
        self.queues: dict[str | None, list[int]] = {skill: [] for skill in self.places}

    def plan(self, steps: int, batch_skills: int) -> Iterator[list[Pair]]:
        """Plan the batches of a training: by turns of questions with rows of their skill, and with its description.

        batch_skills: pairs of a batch, at most. Rows without a call are paired with each other; none has a description.
        """
        for step in range(steps):
            is_described = step % 2 == 1
            choices = self._choose(batch_skills, is_described)
            yield [
                Pair(self.anchors[choice.anchor].query, self._write_document(choice, is_described))
                for choice in choices
            ]

    def _choose(self, batch_skills: int, is_described: bool) -> list[_Choice]:
        """Choose the pairs of a batch. A share of the documents is hard for the question that was chosen before."""
        skills = [skill for skill in self.places if not is_described or skill in self.descriptions]
        waiting = dict.fromkeys(self.random.sample(skills, len(skills)))
        chosen: list[_Choice] = []
        while waiting and len(chosen) < batch_skills:
            mined = self._find_mined(chosen, waiting)
            skill = next(iter(waiting)) if mined is None else self.anchors[mined].skill
            del waiting[skill]
            choice = self._make_choice(skill, mined)
            if self._is_compatible(choice, chosen, is_described):
                chosen.append(choice)
        return chosen

    def _find_mined(self, chosen: Sequence[_Choice], waiting: Mapping[str | None, None]) -> int | None:
        """Find the hardest negative of the last question whose skill is not in the batch yet; `None` if none is due."""
        if not chosen or self.random.random() >= self.mined_share:
            return None
        hard = self.negatives[chosen[-1].anchor]
        return next((place for place in hard if self.anchors[place].skill in waiting), None)

    def _make_choice(self, skill: str | None, document: int | None) -> _Choice:
        """Make a pair of a skill, of rows of different groups if there are any. document: `None`: to be drawn."""
        anchor = self._take(skill)
        group = self.anchors[anchor].group
        if document is None or self.anchors[document].group == group:
            others = [place for place in self.places[skill] if self.anchors[place].group != group]
            document = self.random.choice(others) if others else anchor
        return _Choice(anchor, document)

    def _take(self, skill: str | None) -> int:
        """Take the next row of a skill: all are taken before one is taken again."""
        if not self.queues[skill]:
            places = self.places[skill]
            self.queues[skill] = self.random.sample(places, len(places))
        return self.queues[skill].pop()

    def _is_compatible(self, choice: _Choice, chosen: Sequence[_Choice], is_described: bool) -> bool:
        """Return whether no document of a batch with this pair is right, or nearly so, for the question of another."""
        return not any(
            self._is_near(first.anchor, second.document, is_described)
            for other in chosen
            for first, second in ((choice, other), (other, choice))
        )

    def _is_near(self, anchor: int, document: int, is_described: bool) -> bool:
        """Return whether a document has a skill of an anchor's turn, or is a row of its group."""
        first, second = self.anchors[anchor], self.anchors[document]
        return second.skill in first.turn_skills or (not is_described and second.group == first.group)

    def _write_document(self, choice: _Choice, is_described: bool) -> str:
        if is_described:
            return self.descriptions[self.anchors[choice.anchor].skill or ""]
        return self.random.choice(self.anchors[choice.document].documents)
