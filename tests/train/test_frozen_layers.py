"""Outputs of frozen layers are remembered across epochs, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from exemplars.models.base_models import FolderBase, find_base, load_model, load_tokenizer
from stages.train.frozen_layers import list_frozen_layers
from stages.train.params import Precision, Shared
from stages.train.recipe_params import Lora
from stages.train.recipes import find_layers, prepare_model
from stages.train.rows import TokenRow
from tests.tiny import save_tiny

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

SHARED = Shared(batch_rows=2, epochs=3, precision=Precision.FP32, log_every=1, validation_rows=1)
ROWS = [TokenRow([5, 6, 7, 8, 9 + n, 10 + n], [-100] * 4 + [9 + n, 10 + n], "k") for n in range(4)]


def fit_and_count(
    base: Path, folder: Path, max_bytes: int, monkeypatch: pytest.MonkeyPatch, **changes: object
) -> tuple[list[float], int]:
    """Train; return all that is logged, and how often the first layer was computed in training mode."""
    from stages.train import frozen_layers, training

    monkeypatch.setattr(frozen_layers, "MAX_BYTES", max_bytes)
    files = find_base(FolderBase(path=str(base), license="MIT"))
    torch.manual_seed(1)
    model = prepare_model(
        load_model(files, dtype="float32"), Lora(learning_rate=1e-2, rank=4, alpha=8, layers=1)
    )
    computed: list[bool] = []
    mlp = find_layers(model)[0].mlp
    mlp.register_forward_hook(lambda module, *_: computed.append(module.training))
    losses: list[float] = []
    shared = msgspec.structs.replace(SHARED, **changes)
    training.fit(
        model,
        load_tokenizer(files),
        ROWS,
        ROWS[:1],
        shared,
        1e-2,
        folder,
        lambda _, found: losses.extend(found.values()),
    )
    return losses, sum(computed)


def test_each_batch_is_computed_once_with_the_same_losses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = save_tiny(tmp_path / "base")
    losses, computed = fit_and_count(base, tmp_path / "a", 2**20, monkeypatch)
    plain, in_each_epoch = fit_and_count(base, tmp_path / "b", 0, monkeypatch)
    assert (computed, in_each_epoch) == (2, 6)
    assert losses == plain
    assert len(losses) == 20  # Loss, accuracy and learning rate of 6 steps, then the evaluation.
    _, in_one_epoch = fit_and_count(base, tmp_path / "c", 2**20, monkeypatch, epochs=1)
    assert in_one_epoch == 2


def test_layers_with_dropout_are_not_remembered(tmp_path: Path) -> None:
    files = find_base(FolderBase(path=str(save_tiny(tmp_path)), license="MIT"))
    model = prepare_model(
        load_model(files, dtype="float32"), Lora(learning_rate=1, rank=4, alpha=8, layers=1)
    )
    assert list_frozen_layers(model) == list(find_layers(model)[:2])
    model.config.attention_dropout = 0.1
    assert list_frozen_layers(model) == []
