"""The loss of a tagger, computed by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from exemplars.core.ledger import Problem
from exemplars.dataset.catalog import Skill
from exemplars.models.tagger.matches import Matcher
from exemplars.models.tagger.vocabulary import build_vocabulary
from stages.train.tagger.rows import Encoder, TaggerRow
from tests.models.tagger.rows import ROWS, SKILLS, make_row, make_tokenizer, said

torch = pytest.importorskip("torch")
VOCABULARY = build_vocabulary(SKILLS, ROWS)


def make_matcher() -> Matcher:
    return Matcher(VOCABULARY, {skill.name: skill for skill in SKILLS})


def make_encoder() -> Encoder:
    return Encoder(make_tokenizer(), VOCABULARY, {skill.name: skill for skill in SKILLS}, 48, 4)


def encode(place: int) -> TaggerRow:
    row = make_encoder().encode([ROWS[place]])
    assert not isinstance(row, Problem)
    return row


class Indifferent:
    """A network for which everything is as likely as everything else, except one tag."""

    def __init__(self, tag: int = 0, score: float = 0.0) -> None:
        self.tag = tag
        self.score = score

    def __call__(self, batch: Any, with_own: Any = None) -> Any:
        from exemplars.models.tagger.network import Scores

        rows, tokens = batch.input_ids.shape
        tags = torch.zeros(rows, tokens, VOCABULARY.tag_starts[-1])
        tags[:, :, self.tag] = self.score
        choices = torch.zeros(rows, VOCABULARY.choice_starts[-1][-1])
        return Scores(torch.zeros(rows, 4), torch.zeros(rows), tags, choices)


def compute_rows(network: Any, rows: list[TaggerRow]) -> float:
    from stages.train.tagger.training import TaggerLoss

    return float(TaggerLoss(VOCABULARY, make_matcher(), 0)(network, rows))


def compute(network: Any, *places: int) -> float:
    return compute_rows(network, [encode(place) for place in places])


def test_the_loss_is_that_of_skill_tags_and_choices() -> None:
    # "ring dad at work": four skills with none, one of them or several, 6 tokens with 5 tags each, 3 choices of the device.
    tokens = sum(turn == 0 for turn in encode(1).encoded.turns)
    assert tokens == 6
    assert compute(Indifferent(), 1) == pytest.approx(math.log(8) + 6 * math.log(5) + math.log(3), rel=1e-6)


def test_a_row_without_a_call_has_the_loss_of_its_skill_alone() -> None:
    assert compute(Indifferent(), 7) == pytest.approx(math.log(8), rel=1e-6)


def test_rows_of_a_batch_count_alike_and_padding_not_at_all() -> None:
    alone = [compute(Indifferent(), place) for place in (1, 6, 7)]
    assert compute(Indifferent(), 1, 6, 7) == pytest.approx(sum(alone) / 3, rel=1e-6)


def test_tags_of_other_skills_do_not_compete() -> None:
    other = VOCABULARY.tag_starts[2]
    assert compute(Indifferent(tag=other, score=50.0), 1) == pytest.approx(
        compute(Indifferent(), 1), rel=1e-6
    )
    own = VOCABULARY.tag_starts[1]
    assert compute(Indifferent(tag=own, score=50.0), 1) > 100


def test_the_calls_of_a_turn_share_the_skills_and_each_has_its_tags_and_choices() -> None:
    turn = [make_row("ring mum, timer for 5", "call", said("contact", "mum")), ROWS[7]]
    turn.append(make_row("ring mum, timer for 5", "set_timer", said("minutes", "5")))
    row = make_encoder().encode(turn)
    assert isinstance(row, TaggerRow)
    assert [target.skill for target in row.targets] == [1, 2]
    tokens = sum(turn == 0 for turn in row.encoded.turns)
    expected = math.log(8) + 2 * tokens * math.log(5) + math.log(3)
    assert compute_rows(Indifferent(), [row]) == pytest.approx(expected, rel=1e-6)


def test_skills_without_rows_compete_only_where_they_are_right() -> None:
    from exemplars.models.tagger.network import Scores
    from stages.train.tagger.training import TaggerLoss

    skills = [*SKILLS, Skill("sing", "Sing."), Skill("dance", "Dance.")]
    vocabulary = build_vocabulary(skills, ROWS)
    catalog = {skill.name: skill for skill in skills}
    encoder = Encoder(make_tokenizer(), vocabulary, catalog, 48, 4)

    def ask(batch: Any, with_own: Any) -> Scores:
        rows, tokens = batch.input_ids.shape
        tags = torch.zeros(rows, tokens, vocabulary.tag_starts[-1])
        choices = torch.zeros(rows, vocabulary.choice_starts[-1][-1])
        return Scores(torch.zeros(rows, 6), torch.zeros(rows), tags, choices)

    loss = TaggerLoss(vocabulary, Matcher(vocabulary, catalog), 0)
    rows = [encoder.encode([row]) for row in (make_row("sing a song", "sing"), ROWS[7])]
    assert [float(loss(ask, [row])) for row in rows] == pytest.approx(
        [math.log(2 * 5), math.log(2 * 4)], rel=1e-6
    )


def test_own_weights_are_left_out_only_if_a_skill_has_to_be_called_by_its_description(tmp_path: Path) -> None:
    from transformers import AutoModel

    from exemplars.models.tagger.network import TaggerNetwork
    from stages.train.params import Shared
    from stages.train.recipe_params import Tagger
    from stages.train.tagger.training import TaggerLoss, TaggerTraining
    from tests.tiny import save_tiny_encoder

    drawn = {}
    for skills in (SKILLS, (*SKILLS, Skill("sing", "Sing."))):
        vocabulary = build_vocabulary(skills, ROWS)
        encoder = AutoModel.from_pretrained(str(save_tiny_encoder(tmp_path / str(len(skills)))))
        matcher = Matcher(vocabulary, {skill.name: skill for skill in skills})
        network = TaggerNetwork(encoder, vocabulary, 0.0)
        loss = TaggerLoss(vocabulary, matcher, 0)
        drawn[len(skills)] = TaggerTraining(network, loss, Tagger(unseen_share=1.0), Shared())._draw_own(2)
    assert drawn[3] is None
    assert drawn[4].tolist() == [[1.0, 0.0, 0.0, 0.0, 0.0]] * 2  # "No call" has no description.
