"""The tree of tokens, and the models that compute with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.models.base_models import FolderBase, find_base, load_model
from exemplars.models.reward_model import load_scorer
from stages.train.alignment.prefix_tree import ROOT, build_prefix_tree, build_tree_mask
from tests.tiny import save_tiny

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

IDS = [[5, 6, 7, 8, 9], [5, 6, 7, 10], [11, 12, 13, 8, 9, 14], [5, 6, 7, 8, 15]]
PROMPT_TOKENS = 2


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("base"))


def load(base: Path) -> Any:
    return load_model(find_base(FolderBase(path=str(base), license="MIT")), dtype="float32").eval()


def pad_rows(side: str) -> dict[str, Any]:
    longest = max(map(len, IDS))
    padded = {"input_ids": [], "attention_mask": [], "labels": []}
    for row in IDS:
        gap = [0] * (longest - len(row))
        labels = [-100] * PROMPT_TOKENS + row[PROMPT_TOKENS:]
        for name, values, filler in (
            ("input_ids", row, gap),
            ("attention_mask", [1] * len(row), gap),
            ("labels", labels, [-100] * len(gap)),
        ):
            padded[name].append(values + filler if side == "right" else filler + values)
    return {name: torch.tensor(values) for name, values in padded.items()}


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=6))
def test_each_row_is_the_path_to_its_last_node_and_a_node_sees_this_path(rows: list[list[int]]) -> None:
    tree = build_prefix_tree(rows)
    mask = build_tree_mask(tree.parents)
    assert len(tree.tokens) == len({tuple(row[:length]) for row in rows for length in range(1, len(row) + 1)})
    for row, nodes in zip(rows, tree.rows, strict=True):
        assert [tree.tokens[node] for node in nodes] == row
        assert [tree.parents[node] for node in nodes] == [ROOT, *nodes[:-1]]
        assert [tree.positions[node] for node in nodes] == list(range(len(row)))
        assert mask[nodes[-1]].nonzero().squeeze(1).tolist() == sorted(nodes)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_a_tree_gives_the_figures_and_gradients_of_padded_rows(
    side: str, temperature: float, base: Path
) -> None:
    from trl.trainer.utils import add_fused_lm_head

    from stages.train.alignment.tree_forward import compute_logprobs_in_trees

    batch, fields = pad_rows(side), ("log_probs", "entropy", "mean_logits", "is_top1")
    padded, shared = load(base), load(base)
    add_fused_lm_head(padded, temperature=temperature, outputs=fields)
    compute_logprobs_in_trees(shared, temperature)
    positions = (batch["attention_mask"].cumsum(1) - 1).clamp(min=0)
    expected = padded(**batch, position_ids=positions, fused_lm_head=True)
    found = shared(**batch, fused_lm_head=True)
    for field in (*fields, "loss"):
        assert torch.allclose(found[field].float(), expected[field].float(), atol=1e-4), field
    expected.log_probs.sum().backward()
    found.log_probs.sum().backward()
    for name, weights in shared.named_parameters():
        assert torch.allclose(weights.grad, padded.get_parameter(name).grad, atol=1e-3), name


def test_a_tree_gives_the_scores_of_padded_rows(base: Path) -> None:
    from stages.train.alignment.tree_forward import compute_scores_in_trees

    batch = pad_rows("right")
    torch.manual_seed(1)
    scorer = load_scorer(find_base(FolderBase(path=str(base), license="MIT")), 0, dtype="float32").eval()
    expected = scorer(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    compute_scores_in_trees(scorer)
    found = scorer(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    assert torch.allclose(found, expected, atol=1e-5)
