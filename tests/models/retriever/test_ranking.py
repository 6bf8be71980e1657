"""Ranks of skills by each view, and fused by hand."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from exemplars.models.retriever.index import IndexEntry, list_entries, list_excluded
from exemplars.models.retriever.ranking import RankedSkill, View, rank_views, score_by_entries
from tests.models.tagger.rows import ROWS, make_row, said


def entry(skill: str | None, group: str = "g") -> IndexEntry:
    return IndexEntry("d", "s:a#1", skill, "text", group, False)


def test_the_most_similar_entry_of_a_skill_counts_and_rows_without_a_call_do_not() -> None:
    entries = [entry(None), entry("call"), entry("call"), entry("gone")]
    scores = score_by_entries(np.array([[0.9, 0.2, 0.5, 0.8]], np.float32), entries, ["call", "sing"])
    assert scores.tolist() == [[0.5, -np.inf]]


def test_views_are_fused_by_the_mean_reciprocal_rank_of_those_that_have_a_skill() -> None:
    examples = np.array([[0.9, 0.8, -np.inf]])
    descriptions = np.array([[0.1, 0.2, 0.3]])
    ranked = rank_views(examples, descriptions, ["call", "light", "sing"])
    assert [skill.name for skill in ranked[View.EXAMPLES][0]] == ["call", "light"]
    assert [skill.name for skill in ranked[View.DESCRIPTIONS][0]] == ["sing", "light", "call"]
    # The new skill has no example: only its description counts, which is the best.
    fused = [(skill.name, skill.score) for skill in ranked[View.FUSED][0]]
    assert fused == [
        ("sing", pytest.approx(1 / 61)),
        ("call", pytest.approx((1 / 61 + 1 / 63) / 2)),
        ("light", pytest.approx((1 / 62 + 1 / 62) / 2)),
    ]


def test_of_equal_ranks_the_more_similar_skill_comes_first() -> None:
    ranked = rank_views(np.array([[0.9, 0.8]]), np.array([[0.1, 0.7]]), ["call", "light"], limit=1)
    assert [skill.name for skill in ranked[View.FUSED][0]] == ["light"]
    assert isinstance(ranked[View.FUSED][0][0], RankedSkill)


def test_a_row_is_indexed_by_its_template_and_its_utterance() -> None:
    row = make_row("ring mum", "call", said("contact", "mum"), name="r")
    row = msgspec.structs.replace(row, exemplar="ring <contact>")
    entries = list_entries([row, ROWS[-1]], [], lambda text, _: text)
    assert [(entry.skill, entry.text, entry.is_template) for entry in entries] == [
        (None, "no thanks", False),
        ("call", "ring mum", False),
        ("call", "ring <contact>", True),
    ]
    assert (entries[1].digest, entries[1].group) == (row.digest, "ring mum")


def test_the_entries_of_excluded_groups_are_listed_for_each_question() -> None:
    list_places = list_excluded(
        [entry("a", "x"), entry("b", "y"), entry("c", "x")], [{"x"}, set(), ["y", "z"]]
    )
    assert [list_places(question) for question in range(3)] == [[0, 2], [], [1]]
