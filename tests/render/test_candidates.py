"""What prompts show of the conversation, and what of train rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.core.records import Argument, Exemplar, Grounding
from exemplars.dataset.recognizers import Instance, Recognizer
from exemplars.dataset.speech import make_speech_views
from exemplars.models.candidates import SaidValue
from exemplars.models.fold_predictions import FoldPrediction
from exemplars.models.prompt_style import CandidateSource, ToolSource, Values
from exemplars.models.questions import Question
from exemplars.models.rows import TrainingRow, View
from exemplars.models.tagger.calls import TaggedCall, TaggedTurn
from stages.render.training_rows import render_splits
from stages.render.turn_models import TurnModels, check_folds
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import make_tokenizer

pytest.importorskip("transformers")
TRAIN = [
    exemplar("ring mum at 8:30", "call", argument("contact", "mum", "mum"), group="a"),
    exemplar("timer for ten minutes", "set_timer", argument("minutes", "10", "ten", "normalized"), group="b"),
]
TEST = [exemplar("ring dad", "call", argument("contact", "dad", "dad"), group="c")]


class _Tagger:
    """Marks the last word as the contact of a call, ranks skills by name, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def answer(self, questions: Sequence[Question]) -> list[TaggedTurn]:
        self.asked += [question.utterance for question in questions]
        words = [question.utterance.split()[-1] for question in questions]
        marked = [Argument("contact", word, word, 0, len(word), Grounding.VERBATIM) for word in words]
        return [TaggedTurn((TaggedCall("call", (found,), -1.0),), -1.0) for found in marked]

    def rank_skills(self, questions: Sequence[Question]) -> list[list[str]]:
        self.asked += [question.utterance for question in questions]
        return [["weather", "call"] for _ in questions]


def render(
    models: TurnModels, train: Sequence[Exemplar] = TRAIN, **changes: Any
) -> dict[str, list[TrainingRow]]:
    splits = render_splits(
        {"train": train, "validation": [], "test": TEST},
        SKILLS,
        make_tokenizer(),
        params(**changes),
        400,
        models,
    )
    assert not [rejection for split in splits.values() for rejection in split.rejections]
    return {name: list(split.rows) for name, split in splits.items()}


def last_lines(rows: Sequence[TrainingRow]) -> list[str]:
    """The last line of each system message."""
    return [row.messages[0].content.splitlines()[-1] for row in rows]


def make_folds(rows: Sequence[Exemplar] = TRAIN) -> dict[str, FoldPrediction]:
    said = (SaidValue("minutes", "10", "10"),)
    return {
        row.id: FoldPrediction(row.id, row.digest, row.group, 0, ("set_timer", "call"), said) for row in rows
    }


def test_recognizers_find_values_in_prompts_of_all_splits() -> None:
    people = {"person": Recognizer((Instance("Mother", ("mum",)), Instance("Father", ("dad",))))}
    recognized = CandidateSource.RECOGNIZER
    rows = render(TurnModels(recognizers=people), candidates=recognized)
    assert last_lines(rows["train"]) == ['Said: person="mum", time="8:30"', 'Said: number="ten"']
    assert last_lines(rows["test"]) == ['Said: person="dad"']
    rows = render(TurnModels(recognizers=people), candidates=recognized, values=Values.CANONICAL)
    assert last_lines(rows["train"]) == ['Said: person="Mother", time="08:30"', 'Said: number="10"']


def test_only_calls_and_slots_are_asked_with_values() -> None:
    rows = render(
        TurnModels(),
        candidates=CandidateSource.RECOGNIZER,
        views=(View.CALL, View.SKILL, View.SLOT, View.PAIR),
    )
    views = {row.view for row in rows["train"] if "Said: " in row.messages[0].content}
    assert views == {View.CALL, View.SLOT}


def test_a_tagger_is_asked_about_rows_of_test_and_its_folds_about_those_of_train() -> None:
    tagger: Any = _Tagger()
    models = TurnModels(tagger=tagger, tagger_folds=make_folds())
    rows = render(models, candidates=CandidateSource.TAGGER)
    assert last_lines(rows["train"]) == ['Said: minutes="10"', 'Said: minutes="10"']
    assert last_lines(rows["test"]) == ['Said: contact="dad"']
    assert tagger.asked == ["ring dad"]


def test_without_folds_the_tagger_is_asked_about_all_rows() -> None:
    tagger: Any = _Tagger()
    rows = render(TurnModels(tagger=tagger), candidates=CandidateSource.TAGGER)
    assert last_lines(rows["train"]) == ['Said: contact="8:30"', 'Said: contact="minutes"']


def test_tools_are_those_that_a_tagger_ranks_best_and_unknown_ones_come_last() -> None:
    tagger: Any = _Tagger()
    models = TurnModels(tagger=tagger, tagger_folds=make_folds())
    rows = render(models, tools_from=ToolSource.TAGGER, distractors=1)
    shown = {
        split: [[tool["function"]["name"] for tool in msgspec.json.decode(row.tools)] for row in rows[split]]
        for split in ("train", "test")
    }
    assert shown == {"train": [["set_timer", "call"]] * 2, "test": [["weather", "call"]]}
    rows = render(TurnModels(tagger=tagger), tools_from=ToolSource.TAGGER, distractors=2)
    (timer,) = (row for row in rows["train"] if row.skills == ("set_timer",))
    names = [tool["function"]["name"] for tool in msgspec.json.decode(timer.tools)]
    assert names == ["weather", "call", "set_timer"]


def test_a_speech_view_shows_what_it_says_of_its_row() -> None:
    row = exemplar("Ring mum at 8:30!", "call", argument("contact", "mum", "mum"), group="a")
    placed = msgspec.structs.replace(row.arguments[0], start=5, end=8)
    row = msgspec.structs.replace(row, arguments=(placed,))
    (view,) = make_speech_views([row])
    said = (
        SaidValue("contact", "mum", "mum"),
        SaidValue("time", "8:30", "08:30"),
        SaidValue("day", "Ring", "R"),
    )
    folds = {
        row.id: FoldPrediction(row.id, row.digest, "a", 0, ("call",), (*said, SaidValue("x", "gone", "gone")))
    }
    rows = render(
        TurnModels(tagger_folds=folds, tagger=_Tagger()), [row, view], candidates=CandidateSource.TAGGER
    )  # type: ignore[arg-type]
    assert last_lines(rows["train"]) == [
        'Said: contact="mum", time="8:30", day="Ring", x="gone"',
        'Said: contact="mum", time="eight thirty", day="ring"',
    ]


@pytest.mark.parametrize(
    "rows", [[*TRAIN, TEST[0]], [msgspec.structs.replace(TRAIN[0], digest="0" * 64), TRAIN[1]]]
)
def test_predictions_for_other_rows_are_refused(rows: list[Exemplar]) -> None:
    check_folds("tagger", {}, rows)
    check_folds("tagger", make_folds(), TRAIN)
    with pytest.raises(
        UserError, match=r"other_rows: its predictions for train rows are not about s:ring .*; run"
    ):
        check_folds("tagger", make_folds(), rows)
