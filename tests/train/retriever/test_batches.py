"""Batches without a false negative, and hard negatives without a right one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.train.retriever.anchors import Anchor, mine_negatives
from stages.train.retriever.batches import BatchPlanner

SKILLS = st.sampled_from([None, "a", "b", "c", "d", "e"])


@st.composite
def anchor_lists(draw: st.DrawFn) -> list[Anchor]:
    """Rows whose texts name their places; some share a group, and some a turn with another skill."""
    anchors = []
    for place in range(draw(st.integers(1, 14))):
        skill = draw(SKILLS)
        turn = frozenset({skill, draw(SKILLS)})
        group = f"g{draw(st.integers(0, 5))}"
        anchors.append(Anchor(f"q{place}", (f"t{place}", f"u{place}"), skill, turn, group, f"q{place}"))
    return anchors


@given(anchor_lists(), st.integers(1, 6), st.floats(0, 0.99), st.integers(0, 3))
def test_no_document_of_a_batch_is_right_for_the_question_of_another_pair(
    anchors: list[Anchor], batch_skills: int, mined_share: float, seed: int
) -> None:
    descriptions = {name: f"described {name}" for name in "abcde"}
    negatives = [
        [other for other, row in enumerate(anchors) if row.skill not in anchor.turn_skills]
        for anchor in anchors
    ]
    plans = [
        list(BatchPlanner(anchors, descriptions, negatives, mined_share, seed).plan(6, batch_skills))
        for _ in range(2)
    ]
    assert plans[0] == plans[1]
    for step, batch in enumerate(plans[0]):
        asked = [anchors[int(pair.query[1:])] for pair in batch]
        assert len(batch) <= batch_skills
        assert len({anchor.skill for anchor in asked}) == len(batch)
        for place, anchor in enumerate(asked):
            if step % 2:
                assert batch[place].document == f"described {anchor.skill}"
                continue
            documents = [anchors[int(pair.document[1:])] for pair in batch]
            assert documents[place].skill == anchor.skill
            for other in documents[:place] + documents[place + 1 :]:
                assert other.skill not in anchor.turn_skills
                assert other.group != anchor.group


def test_hard_negatives_share_neither_skill_nor_group_nor_words_with_a_row() -> None:
    texts = ["ring mum now", "ring dad", "ring mum, now!", "time please", "weather please"]
    skills = ["call", "call", "redial", "clock", "weather"]
    groups = ["g0", "g1", "g2", "g0", "g3"]
    anchors = [
        Anchor(text, (text,), skill, frozenset({skill}), group, text)
        for text, skill, group in zip(texts, skills, groups, strict=True)
    ]
    vectors = np.eye(5, dtype=np.float32) * 0.5 + 0.1
    # The second has its skill, the third nearly its words, the fourth its group.
    assert mine_negatives(anchors, vectors, vectors)[0] == [4]
    assert mine_negatives(anchors, vectors, vectors, count=1)[4] == [0]
