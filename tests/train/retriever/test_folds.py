"""What a retriever says about train rows comes from one that has not seen their group."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exemplars.core.errors import UserError
from exemplars.models.fold_predictions import read_fold_predictions
from tests.models.tagger.rows import ROWS, make_row, said
from tests.train.retriever.trained import train_tiny

pytest.importorskip("sentence_transformers")
SHARED = {"max_steps": 2, "log_every": 1, "checkpoint_every": 1}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_retriever_of_a_fold_has_seen_neither_a_row_of_it_nor_its_label(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.train.retriever import folds, training

    seen: list[set[str]] = []
    fit, take_step, steps = folds.fit_index_encoder, training.PlannedTrainer.training_step, 0

    def spy(before: Any, part: Any, *rest: Any) -> Any:
        seen.append({row.group for row in part.train})
        return fit(before, part, *rest)

    def die_once(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == 6:  # The second step of the second fold.
            raise KeyboardInterrupt
        return take_step(self, *arguments, **options)

    monkeypatch.setattr(folds, "fit_index_encoder", spy)
    monkeypatch.setattr(training.PlannedTrainer, "training_step", die_once)
    with pytest.raises(KeyboardInterrupt):
        train_tiny(shared=SHARED, folds=2)
    seen.clear()
    before = read_fold_predictions(train_tiny(shared=SHARED, folds=2)[1] / "weights")
    assert sorted(before) == sorted(row.id for row in ROWS)
    assert {frozenset(row.skills) for row in before.values()} == {frozenset({"call", "set_timer", "weather"})}
    assert [{row.group for row in ROWS if before[row.id].fold != number} for number in (0, 1)] == seen
    report = json.loads((project / "reports/details/train/retriever.json").read_bytes())
    assert (report["folds"]["count"], report["folds"]["rows"], report["folds"]["hit_at_3"]) == (2, 7, 1.0)
    changed = make_row("ring mum", "set_timer", said("label", "mum"))
    assert (changed.id, changed.digest != ROWS[0].digest) == (ROWS[0].id, True)
    rows = [changed, *ROWS[1:]]
    after = read_fold_predictions(train_tiny(rows, shared=SHARED, folds=2)[1] / "weights")
    assert (after[changed.id].digest, after[changed.id].skills) == (changed.digest, before[changed.id].skills)
    assert {row.id: row.fold for row in after.values()} == {row.id: row.fold for row in before.values()}


def test_more_folds_than_groups_are_refused() -> None:
    with pytest.raises(
        UserError,
        match=r"too_many_folds: found folds: 9, for train rows of 8 groups, expected rows in each fold",
    ):
        train_tiny(shared={"max_steps": 1}, folds=9)
    assert not Path("models").exists()
