from __future__ import annotations

import pytest

from exemplars.core.errors import UserError
from stages.train.alignment.checks import check_answers, check_preferences
from stages.train.alignment.examples import build_labels, build_pairs, build_scored_pairs, order_batches
from stages.train.alignment.inputs import PreferenceTokens
from stages.train.recipe_params import Dpo, Kto, Rloo


def prefer(
    digest: str, prompt: tuple[int, ...], chosen: tuple[int, ...], rejected: tuple[int, ...]
) -> PreferenceTokens:
    return PreferenceTokens(digest, digest, (f"row {digest}",), digest, prompt, chosen, rejected)


PAIRS = [
    prefer("a", (1, 2), (3, 9), (4, 9)),
    prefer("b", (7, 8), (5, 9), (6, 9)),
    prefer("c", (1, 2, 2), (3, 9), (6, 9)),
]
GOOD, BAD = prefer("d", (1,), (3, 9), ()), prefer("e", (1,), (), (4, 9))


def test_rows_of_a_batch_begin_alike_and_all_rows_are_in_one() -> None:
    ordered = order_batches(PAIRS, 2)
    assert [row.digest for row in ordered] == ["a", "c", "b"]
    assert [row.digest for row in order_batches(PAIRS[::-1], 2)] == ["a", "c", "b"]


def test_pairs_leave_out_labeled_sides() -> None:
    assert build_pairs([GOOD, PAIRS[0], BAD], 2) == [
        {"prompt_ids": [1, 2], "chosen_ids": [3, 9], "rejected_ids": [4, 9]}
    ]
    assert build_scored_pairs([PAIRS[0], BAD], 2) == [
        {"chosen_ids": [1, 2, 3, 9], "rejected_ids": [1, 2, 4, 9]}
    ]


def test_labels_have_both_sides_of_a_pair_and_an_answer_to_the_prompt_of_a_different_one() -> None:
    examples = build_labels([PAIRS[0], PAIRS[1], GOOD], 4)
    assert [
        (tuple(example["prompt_ids"]), tuple(example["completion_ids"]), example["label"])
        for example in examples
    ] == [
        ((1,), (3, 9), True),
        ((1, 2), (3, 9), True),
        ((1, 2), (4, 9), False),
        ((7, 8), (5, 9), True),
        ((7, 8), (6, 9), False),
    ]
    assert [example["KL_completion_ids"] for example in examples[:4]] == [[4, 9], [5, 9], [3, 9], [3, 9]]


@pytest.mark.parametrize(
    ("rows", "recipe", "message"),
    [
        ([], Dpo(), "found no pair of answers, expected at least one for the recipe x"),
        ([GOOD, BAD], Dpo(), "found no pair of answers"),
        ([], Kto(), "found no answer, expected good and bad answers for the recipe x"),
        ([GOOD], Kto(), "found no bad answer"),
        ([BAD], Kto(), "found no good answer"),
    ],
)
def test_without_anything_to_prefer_a_sentence_says_how_to_start(
    rows: list[PreferenceTokens], recipe: Dpo | Kto, message: str
) -> None:
    with pytest.raises(UserError, match=message) as error:
        check_preferences(rows, recipe, "x")
    assert "`exemplars preferences mine` or `exemplars judge`" in str(error.value)


def test_a_step_of_rloo_has_whole_groups_of_answers() -> None:
    with pytest.raises(
        UserError, match="found batch_rows: 8, with 3 answers for each prompt, expected a multiple of 3"
    ):
        check_answers(Rloo(answers=3), "rloo")
    check_answers(Rloo(answers=4), "rloo")
