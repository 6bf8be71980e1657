"""Skills ranked by the words that a question shares with train rows and descriptions: what a retriever has to beat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exemplars.core.records import Exemplar
from exemplars.dataset.catalog import Skill
from exemplars.dataset.skill_ranking import RankingEntry, SkillRanking, count_terms, describe_skills


def rank_by_words(
    train: Iterable[Exemplar], skills: Sequence[Skill], rows: Iterable[Exemplar]
) -> list[list[str]]:
    """Rank the names of the skills for rows by BM25 over train rows and descriptions, the best first.

    Train rows of the group of a row do not count for it.
    """
    entries = [
        RankingEntry(count_terms(row.utterance, row.context), (row.skill,), row.group)
        for row in train
        if row.skill is not None
    ]
    ranking = SkillRanking([*entries, *describe_skills(skills)], [skill.name for skill in skills])
    return [ranking.rank(count_terms(row.utterance, row.context), row.group) for row in rows]
