"""Which train rows a prompt shows as examples, with their answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

from exemplars.core.digests import hash_to_fraction
from exemplars.dataset.skill_ranking import RankingEntry, SkillRanking, count_terms
from exemplars.models.rows import TrainingRow, View
from exemplars.models.turns import TurnRows
from stages.render.params import RenderParams


class ExampleFinder:
    """Finds the train rows that share most words with a turn."""

    def __init__(self, rows: Sequence[TrainingRow], params: RenderParams) -> None:
        """rows: those of the train split, as they are rendered without examples."""
        self._rows = [row for row in rows if row.view == View.CALL and not row.speech]
        entries = [RankingEntry(count_terms(row.utterance), row.skills, row.group) for row in self._rows]
        self._ranking = SkillRanking(entries, ())
        self._params = params

    def find(self, turn: TurnRows, tools: Collection[str], *, draws: bool) -> list[TrainingRow]:
        """Find the examples of a turn's prompt, the best last.

        tools: the names of the tools that the prompt shows. draws: whether the row is one of train, whose examples are
        drawn from the best ones, by its digest, and which may have none.
        """
        choice, key = self._params.examples, f"{self._params.salt} {turn.content_key}"
        if draws and hash_to_fraction(key, "without examples") < choice.dropout:
            return []
        best = self._find_best(turn, tools, max(choice.pool, choice.shown) if draws else choice.shown)
        if draws:
            drawn = sorted(best, key=lambda row: hash_to_fraction(row.id, f"{key} example"))[: choice.shown]
            best = [row for row in best if row in drawn]
        return best[::-1]

    def _find_best(self, turn: TurnRows, tools: Collection[str], count: int) -> list[TrainingRow]:
        found = self._ranking.find_entries(count_terms(turn.first.utterance), turn.first.group)
        admitted = (
            self._rows[number]
            for number in found
            if all(call.skill in tools for call in self._rows[number].calls)
        )
        return list(islice(admitted, count))
