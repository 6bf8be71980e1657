"""Mining with tiny models in a project of its own: what is appended, and what a kill leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from exemplars.cli.main import main
from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.file_locks import keep_others_away
from exemplars.models.preference_log import list_pairs, read_preference_lines
from exemplars.models.preference_rows import PreferencePair
from exemplars.preferences.fold_models import FOLDS, MiningOptions, mine_errors
from tests.conftest import SAMPLE
from tests.train.alignment.projects import RECIPES, AlignmentProject

pytest.importorskip("trl")
LORA = MiningOptions("lora", 2, 2, None)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlignmentProject:
    monkeypatch.chdir(tmp_path)
    made = AlignmentProject(tmp_path)
    # Each row is a group of its own; the last one is in validation.
    *made.rows, held_out = [msgspec.structs.replace(row, group=row.id) for row in made.rows]
    made.write([held_out])
    params = yaml.safe_load((SAMPLE / "params.yaml").read_bytes())
    params["train"]["recipes"] = {"lora": msgspec.to_builtins(RECIPES["lora"])}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    return made


def read_pairs() -> list[PreferencePair]:
    return list_pairs(read_preference_lines(layout.RAW_PREFERENCES.read_bytes()))


def answer_wrongly(monkeypatch: pytest.MonkeyPatch, stop_after: int | None = None) -> list[int]:
    """Have models answer with a call that is never right; return the number of prompts of each batch.

    stop_after: of batches; the next one raises `KeyboardInterrupt`. What a tiny model writes has no end.
    """
    from exemplars.models.decoding import Completion

    batches: list[int] = []

    def decode(_model: Any, _tokenizer: Any, prompts: list[Any], *_: Any) -> list[Completion]:
        if len(batches) == stop_after:
            raise KeyboardInterrupt
        batches.append(len(prompts))
        return [Completion('weather(location="Mars")', True)] * len(prompts)

    monkeypatch.setattr("exemplars.preferences.fold_models.decode_prompts", decode)
    return batches


def test_every_row_is_answered_by_a_model_that_never_saw_it_and_pairs_are_appended_once(
    project: AlignmentProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_wrongly(monkeypatch)
    lines: list[str] = []
    found = mine_errors(LORA, lines.append)
    assert [line.partition(":")[0] for line in lines] == ["fold 1 of 2", "fold 2 of 2"]
    pairs = read_pairs()
    assert len({pair.row for pair in pairs}) == len(pairs) == sum(fold.added for fold in found) == 4
    assert {pair.rejected_by for pair in pairs} == {fold.run for fold in found}
    assert {pair.kind for pair in pairs} <= {"wrong_skill", "irrelevant_call"}
    assert not list(FOLDS.iterdir())
    again = mine_errors(LORA, lines.append)
    assert (sum(fold.added for fold in again), read_pairs()) == (0, pairs)


def test_a_killed_mining_trains_and_asks_nothing_twice(
    project: AlignmentProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = yaml.safe_load(Path("params.yaml").read_bytes())
    params["evaluate"]["batch_rows"] = 1
    Path("params.yaml").write_text(yaml.safe_dump(params))
    asked = answer_wrongly(monkeypatch, stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        mine_errors(LORA, lambda _: None)
    assert sum(asked) == 2
    later = answer_wrongly(monkeypatch)
    found = mine_errors(LORA, lambda _: None)
    assert (sum(later), sum(fold.answered for fold in found)) == (2, 4)
    assert len(read_pairs()) == 4


def test_what_a_killed_mining_left_is_removed_by_the_next_one_with_other_options(
    project: AlignmentProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_wrongly(monkeypatch, stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        mine_errors(LORA._replace(steps=1), lambda _: None)
    [left] = FOLDS.glob("*/answers.jsonl")
    answer_wrongly(monkeypatch, stop_after=0)
    with pytest.raises(KeyboardInterrupt):
        mine_errors(LORA, lambda _: None)
    assert not left.parent.exists()


def test_two_minings_at_once_are_a_sentence(project: AlignmentProject) -> None:
    with (
        keep_others_away(FOLDS.with_suffix(".lock"), "exemplars preferences mine"),
        pytest.raises(UserError, match="another `exemplars preferences mine` is at work in this project"),
    ):
        mine_errors(LORA, lambda _: None)


def test_a_real_model_is_trained_and_asked(
    project: AlignmentProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preferences", "mine", "--steps", "1", "--rows", "1"]) == 0
    printed = capsys.readouterr()
    assert "2 answers, " in printed.out
    assert "is trained on" in printed.err


@pytest.mark.parametrize("recipe", ["tagger", "rloo", "continued", "lore"])
def test_a_recipe_that_trains_no_model_that_calls_is_a_sentence(
    recipe: str, project: AlignmentProject
) -> None:
    with pytest.raises(
        UserError, match=f"found the recipe '{recipe}', expected one that trains a language model"
    ):
        mine_errors(LORA._replace(recipe=recipe), lambda _: None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folds", "1"], "found 1, expected 2 or more folds"),
        (["--rows", "x"], "found 'x', expected a number from 1"),
    ],
)
def test_numbers_that_cannot_be_are_named(
    arguments: list[str], message: str, project: AlignmentProject, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["preferences", "mine", *arguments])
    assert message in capsys.readouterr().err
