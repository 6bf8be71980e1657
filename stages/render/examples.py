"""Which train rows a prompt shows: as examples with their answers, by their templates, or by their questions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from exemplars.core.digests import hash_to_fraction
from exemplars.dataset.skill_ranking import RankingEntry, SkillRanking, count_terms
from exemplars.models.rows import TrainingRow, View
from exemplars.models.turns import TurnRows
from stages.render.params import RenderParams
from stages.render.yes_no import AnsweredQuestion


class TemplatePair(NamedTuple):
    """A template that is compared with an utterance."""

    template: str
    is_same: bool
    """Whether both call the same skill."""
    row_id: str
    """The train row that the template is of."""


class ExampleFinder:
    """Finds the train rows that share most words with a turn."""

    def __init__(
        self,
        rows: Sequence[TrainingRow],
        templates: Mapping[str, str],
        params: RenderParams,
        questions: Sequence[AnsweredQuestion] = (),
    ) -> None:
        """rows: those of the train split, as they are rendered without others.

        templates: of these rows, by id. questions: that these rows answer.
        """
        self.questions = questions
        self._templates = templates
        self._rows = [row for row in rows if row.view == View.CALL and not row.speech]
        entries = [RankingEntry(count_terms(row.utterance), row.skills, row.group) for row in self._rows]
        self._ranking = SkillRanking(entries, ())
        self._params = params

    def find(self, turn: TurnRows, tools: Collection[str], *, draws: bool) -> list[TrainingRow]:
        """Find the examples of a turn's prompt, the best last.

        tools: the names of the tools that the prompt shows. draws: whether the row is one of train, whose examples are
        drawn from the best ones, by its digest, and which may have none.
        """
        if not self._params.examples.shown:
            return []
        choice, key = self._params.examples, f"{self._params.salt} {turn.content_key}"
        if draws and hash_to_fraction(key, "without examples") < choice.dropout:
            return []
        best = self._find_best(turn, tools, max(choice.pool, choice.shown) if draws else choice.shown)
        if draws:
            drawn = sorted(best, key=lambda row: hash_to_fraction(row.id, f"{key} example"))[: choice.shown]
            best = [row for row in best if row in drawn]
        return best[::-1]

    def find_pairs(self, turn: TurnRows, called: Collection[str]) -> list[TemplatePair]:
        """Find the template of the same skill, and that of a different one, that share most words with a turn.

        The first is left out for a turn that calls nothing, both for one that calls several skills or declines one.
        called: the skills that rows call by the same utterance; a template of a different one of these is neither.
        """
        if (
            View.PAIR not in self._params.views
            or len(turn.rows) > 1
            or len(turn.called_rows) < len(turn.skills)
        ):
            return []
        pairs: dict[bool, TemplatePair] = {}
        for number in self._ranking.find_entries(count_terms(turn.first.utterance), turn.first.group):
            row = self._rows[number]
            if len(row.calls) != 1 or row.id not in self._templates:
                continue
            is_same = row.skills == turn.skills
            if is_same or row.skills[0] not in called:
                pairs.setdefault(is_same, TemplatePair(self._templates[row.id], is_same, row.id))
            if len(pairs) == 1 + bool(turn.skills):
                break
        return [pairs[is_same] for is_same in sorted(pairs)]

    def _find_best(self, turn: TurnRows, tools: Collection[str], count: int) -> list[TrainingRow]:
        found = self._ranking.find_entries(count_terms(turn.first.utterance), turn.first.group)
        admitted = (
            self._rows[number]
            for number in found
            if all(call.skill in tools for call in self._rows[number].calls)
        )
        return list(islice(admitted, count))
