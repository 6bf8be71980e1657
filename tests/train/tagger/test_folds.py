"""What a tagger says about train rows comes from one that has not seen their group."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from exemplars.core.errors import UserError
from exemplars.core.files import hash_file
from exemplars.core.records import Exemplar
from exemplars.models.fold_predictions import FoldPrediction, read_fold_predictions
from tests.models.tagger.rows import ROWS, make_row, said
from tests.train.tagger.trained import train_tiny

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def predict(
    rows: Sequence[Exemplar] = ROWS, epochs: int = 8, folds: int | None = 2
) -> Mapping[str, FoldPrediction]:
    _, folder = train_tiny(epochs, rows, folds=folds)
    return read_fold_predictions(folder / "weights")


def test_the_label_of_a_row_changes_what_is_said_about_other_folds_alone() -> None:
    changed = [make_row("ring mum", "weather", said("location", "mum")), *ROWS[1:]]
    before, after = predict(), predict(changed)
    own = before[ROWS[0].id].fold
    assert {row.id: row.fold for row in before.values()} == {row.id: row.fold for row in after.values()}
    assert before[ROWS[0].id].digest != after[ROWS[0].id].digest
    said_before, said_after = (
        {row.id: (row.skills, row.said) for row in predictions.values() if row.fold == own}
        for predictions in (before, after)
    )
    assert said_before == said_after
    others_before, others_after = (
        [(row.skills, row.said) for row in predictions.values() if row.fold != own]
        for predictions in (before, after)
    )
    assert others_before != others_after


def test_folds_do_not_change_the_weights(project: Path) -> None:
    _, folder = train_tiny()
    plain = {path.name: hash_file(path) for path in (folder / "weights").glob("*.safetensors")}
    assert not read_fold_predictions(folder / "weights")
    predictions = predict(epochs=2)
    assert {path.name: hash_file(path) for path in (folder / "weights").glob("*.safetensors")} == plain
    assert sorted(predictions) == sorted(row.id for row in ROWS)
    assert {row.fold for row in predictions.values()} == {0, 1}
    report = json.loads((project / "reports/details/train/tagger.json").read_bytes())
    assert (report["folds"]["count"], report["folds"]["rows"]) == (2, 7)


def test_a_killed_training_says_the_same_about_its_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.train.tagger import training

    expected = predict(epochs=2)
    take_step = training.TaggerTraining._take_step
    steps = 0

    def die(self: Any, *arguments: Any) -> float:
        nonlocal steps
        steps += 1
        if steps == 7:
            raise KeyboardInterrupt
        return take_step(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training.TaggerTraining, "_take_step", die)
        with pytest.raises(KeyboardInterrupt):
            predict(epochs=2)
    assert predict(epochs=2) == expected


def test_folds_that_leave_no_call_to_learn_are_refused() -> None:
    rows = [make_row("ring mum", "call", said("contact", "mum")), make_row("no", None)]
    with pytest.raises(
        UserError, match=r"params\.yaml: train\.recipes\.tagger: too_many_folds: found folds: 2, for"
    ):
        predict(rows)
    assert not Path("models").exists()


def test_skills_are_ranked_by_how_likely_they_are_and_unknown_ones_come_last() -> None:
    from exemplars.dataset.catalog import Skill
    from exemplars.models.questions import Question
    from exemplars.models.tagger.predictor import load_tagger
    from tests.models.tagger.rows import SKILLS

    _, folder = train_tiny(epochs=40, skills=[*SKILLS, Skill("sing")])
    tagger = load_tagger(folder)
    ranked = tagger.rank_skills(
        [Question("set a timer for ten minutes"), Question("ring mum"), Question("x " * 99)]
    )
    assert [names[0] for names in ranked] == ["set_timer", "call", "call"]
    assert [names[-1] for names in ranked] == ["sing", "sing", "weather"]
    assert {frozenset(names) for names in ranked} == {frozenset({"call", "set_timer", "sing", "weather"})}
