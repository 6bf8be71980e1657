"""Train rows as examples in prompts: which are shown, and that no row is lost because of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from exemplars.core.ids import SplitName
from exemplars.core.records import Exemplar
from exemplars.models.rows import TrainingRow, View
from stages.render.params import ExampleParams, RenderParams
from stages.render.training_rows import render_splits
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import save_tiny


def ring(name: str, group: str, *, please: str = "please") -> Exemplar:
    return exemplar(f"ring {name} {please}", "call", argument("contact", name, name), group=group)


SPLITS: dict[SplitName, list[Exemplar]] = {
    "train": [
        ring("Ada", "a"),
        ring("Bo", "a"),
        ring("Cy", "b"),
        exemplar("ring after ten minutes", "set_timer", argument("minutes", "10"), group="c"),
    ],
    "validation": [],
    "test": [ring("Di", "t", please="now please")],
}


def render(
    folder: Path, chosen: RenderParams, limit: int = 400
) -> tuple[dict[str, TrainingRow], dict[str, TrainingRow]]:
    """Render the rows; return those of train and test, by utterance."""
    tokenizer = AutoTokenizer.from_pretrained(save_tiny(folder))
    splits = render_splits(SPLITS, SKILLS, tokenizer, chosen, limit)
    train, test = ({row.utterance: row for row in splits[name].rows} for name in ("train", "test"))
    return train, test


def shown(row: TrainingRow) -> list[str]:
    return [message.content for message in row.messages[1:-2]]


@pytest.mark.parametrize("dropout", [0.0, 0.99])
def test_rows_show_the_most_similar_train_rows_of_other_groups(dropout: float, tmp_path: Path) -> None:
    examples = ExampleParams(shown=2, pool=2, dropout=dropout)
    train, test = render(tmp_path, params(examples=examples))
    assert shown(test["ring Di now please"]) == [
        "ring Bo please",
        'call(contact="Bo")',
        "ring Ada please",
        'call(contact="Ada")',
    ]
    assert test["ring Di now please"].nearest == ("s:ring Bo please", "s:ring Ada please")
    # Cy is the only row of another group whose tool is shown; the rest depends on the tools that were drawn.
    expected = ["ring Cy please", 'call(contact="Cy")'] if not dropout else []
    assert shown(train["ring Ada please"])[-2:] == expected
    assert {row.utterance for row in train.values() if row.calls} == {
        row.utterance for row in SPLITS["train"]
    }


def test_an_example_calls_no_tool_that_the_prompt_does_not_show(tmp_path: Path) -> None:
    train, _ = render(tmp_path, params(examples=ExampleParams(shown=3, pool=9, dropout=0), distractors=0))
    assert shown(train["ring after ten minutes"]) == []
    assert shown(train["ring Cy please"]) == [
        "ring Bo please",
        'call(contact="Bo")',
        "ring Ada please",
        'call(contact="Ada")',
    ]


def test_a_row_that_is_too_long_with_examples_shows_none(tmp_path: Path) -> None:
    chosen = params(examples=ExampleParams(shown=1, dropout=0), distractors=0)
    plain, _ = render(tmp_path, params(distractors=0))
    limit = max(len(row.input_ids) for row in plain.values())
    whole, _ = render(tmp_path, chosen)
    train, _ = render(tmp_path, chosen, limit)
    assert train.keys() == whole.keys() == plain.keys()
    assert len(whole["ring Ada please"].input_ids) > limit
    assert train["ring Ada please"].input_ids == plain["ring Ada please"].input_ids


def test_the_pair_view_compares_with_the_nearest_templates_of_the_same_and_of_another_skill(
    tmp_path: Path,
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(save_tiny(tmp_path))
    splits: dict[SplitName, list[Exemplar]] = {
        **SPLITS,
        "test": [ring("Di", "t"), exemplar("please ring a bell", None, mode="none", group="n")],
    }
    chosen = params(views=(View.PAIR,))
    test = render_splits(splits, SKILLS, tokenizer, chosen, 400)["test"]
    asked = "Does the template mean the same as the utterance? Answer True or False.\nTemplate: "
    assert test.rejections == ()
    assert [
        (
            row.id,
            row.messages[0].content.removeprefix(asked),
            row.messages[1].content,
            row.messages[2].content,
        )
        for row in test.rows
    ] == [
        ("s:please ring a bell@pair:different", "ring Ada please", "please ring a bell", "False"),
        ("s:ring Di please@pair:different", "ring after ten minutes", "ring Di please", "False"),
        ("s:ring Di please@pair:same", "ring Ada please", "ring Di please", "True"),
    ]
    assert [row.nearest for row in test.rows] == [
        ("s:ring Ada please",),
        ("s:ring after ten minutes",),
        ("s:ring Ada please",),
    ]
