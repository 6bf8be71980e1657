"""Models that answer: in which number format, and what stays exact in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exemplars.models import answering_models
from exemplars.models.answering_models import answers_in_bf16, hold_weights_in_bf16
from exemplars.models.base_models import FolderBase, find_base, load_model
from tests.runs import make_manifest
from tests.tiny import save_tiny

torch = pytest.importorskip("torch")


@pytest.fixture
def model(tmp_path: Path) -> Any:
    base = find_base(FolderBase(path=str(save_tiny(tmp_path / "base")), license="MIT"))
    return load_model(base, dtype="float32").eval()


@pytest.mark.parametrize(
    ("chosen", "is_supported", "expected"),
    [("bf16", True, True), ("bf16", False, False), ("fp32", True, False)],
)
def test_a_run_answers_in_the_format_of_its_training_where_the_machine_has_it(
    chosen: str, is_supported: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering_models, "supports_bf16", lambda: is_supported)
    assert answers_in_bf16(make_manifest(precision={"chosen": chosen})) is expected


def test_weights_are_held_in_bf16_but_for_the_output_layer_and_positions_stay_exact(model: Any) -> None:
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    ids = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 9]])
    with torch.inference_mode():
        exact = model(input_ids=ids, logits_to_keep=1).logits
    hold_weights_in_bf16(model)
    output_layer = model.get_output_embeddings()
    assert {weights.dtype for weights in model.parameters() if weights is not output_layer.weight} == {
        torch.bfloat16
    }
    assert output_layer.weight.dtype == torch.float32
    assert before
    assert all(torch.equal(buffer, before[name]) for name, buffer in model.named_buffers())
    with torch.inference_mode():
        rounded = model(input_ids=ids, logits_to_keep=1).logits
    assert rounded.dtype == torch.float32
    assert torch.allclose(rounded, exact, atol=0.05)


def test_the_output_layer_is_given_no_view_with_gaps(model: Any) -> None:
    """In bf16, torch would copy its weights once for each row of a batch."""
    hold_weights_in_bf16(model)
    given: list[bool] = []
    model.get_output_embeddings().register_forward_pre_hook(
        lambda _, inputs: given.append(inputs[0].is_contiguous())
    )
    with torch.inference_mode():
        model(input_ids=torch.tensor([[5, 6, 7, 8], [5, 6, 7, 9]]), logits_to_keep=1)
    assert given == [True]
