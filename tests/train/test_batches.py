from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from exemplars.models.rows import View
from stages.train.batches import (
    LeftPaddingCollator,
    SharedPrefixCollator,
    build_batches,
    count_shared_tokens,
    measure_supervised_width,
    pack_groups,
)
from stages.train.rows import PromptRow, TokenRow, build_chat_rows, build_text_rows

torch = pytest.importorskip("torch")


def test_rows_are_padded_on_the_left_and_padding_is_masked() -> None:
    rows = [{"input_ids": [5, 6, 7], "labels": [-100, 6, 7]}, {"input_ids": [8], "labels": [8]}]
    batch = {name: values.tolist() for name, values in LeftPaddingCollator(0)(rows).items()}
    assert batch == {
        "input_ids": [[5, 6, 7], [0, 0, 8]],
        "labels": [[-100, 6, 7], [-100, -100, 8]],
        "attention_mask": [[1, 1, 1], [0, 0, 1]],
        "position_ids": [[0, 1, 2], [0, 0, 0]],
    }


@pytest.mark.parametrize(
    ("labels", "width"),
    [([[-100, 1, 2], [-100, -100, 3]], 2), ([[1, 2, 3]], 3), ([[-100, -100]], 1), ([[-100, 4]], 1)],
)
def test_width_holds_all_labels(labels: list[list[int]], width: int) -> None:
    assert measure_supervised_width(torch.tensor(labels)) == width


def test_prompts_of_chat_rows_are_masked() -> None:
    prompts = [
        PromptRow("d1", View.CALL, "[]", (1, 2, 3, 4), 2),
        PromptRow("d2", View.CALL, "[1]", (5, 6), 1),
    ]
    assert build_chat_rows(prompts) == [
        TokenRow([1, 2, 3, 4], [-100, -100, 3, 4], "call []"),
        TokenRow([5, 6], [-100, 6], "call [1]"),
    ]


class _Letters:
    """A tokenizer whose tokens are the code points."""

    eos_token_id = 0

    def __call__(self, text: str, add_special_tokens: bool) -> dict[str, list[int]]:
        return {"input_ids": [ord(letter) for letter in text]}


def test_texts_are_concatenated_and_cut_into_blocks() -> None:
    rows = build_text_rows({"b": "cd\n", "a": "ab"}, _Letters(), 4)
    assert [row.input_ids for row in rows] == [[97, 98, 0, 99], [100, 0]]
    assert all(row.input_ids == row.labels for row in rows)


def row(ids: list[int], masked: int, key: str = "k") -> TokenRow:
    return TokenRow(ids, [-100] * masked + ids[masked:], key)


def test_rows_of_a_group_share_their_prefix() -> None:
    batch = pack_groups([[row([1, 2, 3, 4, 5], 3), row([1, 2, 7, 8], 3)], [row([9, 9], 1)]])
    assert batch._asdict() == {
        "input_ids": [1, 2, 3, 4, 5, 7, 8, 9, 9],
        "labels": [-100, -100, -100, 4, 5, -100, 8, -100, 9],
        "position_ids": [0, 1, 2, 3, 4, 2, 3, 0, 1],
        "prefixes": [0, 0, 0, 0, 0, 0, 0, 1, 1],
        "parts": [0, 0, 1, 1, 1, 2, 2, 3, 3],
    }


def test_each_row_keeps_a_prompt_token_of_its_own() -> None:
    same = [row([1, 2, 3, 4], 3), row([1, 2, 3, 5], 3)]
    assert count_shared_tokens(same) == 2
    assert pack_groups([same]).labels == [-100, -100, -100, 4, -100, 5]


def test_mask_shows_the_prefix_and_the_row_itself() -> None:
    packed = pack_groups([[row([1, 2, 3], 2), row([1, 5, 6], 2)]])
    batch = SharedPrefixCollator(multiple=1)([packed._asdict()])
    assert batch["attention_mask"].shape == (1, 1, 5, 5)
    assert batch["attention_mask"][0, 0].int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 0, 0, 1, 0],
        [1, 0, 0, 1, 1],
    ]


def test_padding_sees_itself_alone_and_is_not_learned() -> None:
    batch = SharedPrefixCollator(multiple=4)([pack_groups([[row([1, 2, 3, 4, 5], 2)]])._asdict()])
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4, 5, 0, 0, 0]]
    assert batch["labels"].tolist() == [[-100, -100, 3, 4, 5, -100, -100, -100]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 4, 0, 0, 0]]
    assert batch["attention_mask"][0, 0].int().tolist() == [
        [1, 0, 0, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 0, 1],
    ]


def test_batches_hold_groups_of_a_key_and_fill_up() -> None:
    rows = [row([number], 0, key) for number, key in enumerate("aaaaabbc")]
    keys = [[[member.key for member in group] for group in batch] for batch in build_batches(rows, 4)]
    assert keys == [[["a"] * 4], [["b"] * 2, ["a"], ["c"]]]


def test_no_row_is_lost_in_batches() -> None:
    rows = [row([number], 0, str(number % 7)) for number in range(60)]
    ids = [member.input_ids[0] for batch in build_batches(rows, 8) for group in batch for member in group]
    assert sorted(ids) == list(range(60))
    assert all(sum(map(len, batch)) <= 8 for batch in build_batches(rows, 8))


def test_loss_and_gradients_are_those_of_the_rows_one_by_one(tmp_path: Path) -> None:
    from exemplars.models.base_models import FolderBase, find_base, load_model
    from tests.tiny import save_tiny

    files = find_base(FolderBase(path=str(save_tiny(tmp_path)), license="MIT"))
    rows = [row([5, 6, 7, 8, 9, 10, 11 + n, 12, 13 + n], 6 + n % 2) for n in range(4)]
    rows += [row([20, 21, 22, 23], 2, "other")]

    def gradients(batches: list[dict[str, object]]) -> tuple[float, list[object]]:
        model = load_model(files, dtype="float32").train()
        total = 0.0
        for batch in batches:
            labels = batch.pop("labels")
            logits = model(**batch).logits[0, :-1]
            loss = torch.nn.functional.cross_entropy(
                logits, labels[0, 1:], reduction="sum", ignore_index=-100
            )
            loss.backward()
            total += float(loss)
        return total, [parameter.grad for parameter in model.parameters()]

    alone = [LeftPaddingCollator(0)([msgspec.structs.asdict(member)]) for member in rows]
    together = [SharedPrefixCollator()([pack_groups(batch)._asdict()]) for batch in build_batches(rows, 8)]
    assert len(together) == 1
    one_by_one, whole = gradients(alone), gradients(together)
    assert whole[0] == pytest.approx(one_by_one[0], rel=1e-5)
    for packed, single in zip(whole[1], one_by_one[1], strict=True):
        assert torch.allclose(packed, single, atol=1e-5)
