"""The number format of a training: what is chosen and why, what is held in which, and that a resumed run keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from exemplars.models.base_models import FolderBase, find_base, load_model, load_tokenizer
from stages.train.params import Batching, Precision, Schedule, Shared
from stages.train.precision import PrecisionChoice, choose_precision, measure_speedup
from stages.train.recipe_params import Lora, Recipe
from stages.train.recipes import find_layers, prepare_model
from stages.train.rows import TokenRow
from tests.tiny import save_tiny

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

LORA = Lora(learning_rate=1e-2, rank=4, alpha=8, layers=1)
SHARED = Shared(
    batch_rows=2,
    max_steps=6,
    warmup_share=0.0,
    schedule=Schedule.CONSTANT,
    log_every=1,
    checkpoint_every=3,
    validation_rows=1,
)
ROWS = [TokenRow([5, 6, 7, 8, 9 + n, 10 + n], [-100] * 4 + [9 + n, 10 + n], "k") for n in range(4)]


@pytest.mark.parametrize(
    ("asked", "has_gpu", "is_native", "speedup", "expected"),
    [
        ("bf16", False, False, 0.5, ("bf16", "train.shared.precision asks for it", None)),
        ("fp32", True, True, 2.0, ("fp32", "train.shared.precision asks for it", None)),
        ("auto", False, False, 2.0, ("fp32", "no instructions for bf16", None)),
        ("auto", True, True, 0.5, ("bf16", "the GPU has instructions for bf16", None)),
        ("auto", False, True, None, ("fp32", "the speed of bf16 is not measured for this model", None)),
        (
            "auto",
            False,
            True,
            1.19,
            ("fp32", "a layer took 1.19 times as long in fp32; bf16 is used from 1.2", 1.19),
        ),
        (
            "auto",
            False,
            True,
            1.657,
            ("bf16", "a layer took 1.66 times as long in fp32; bf16 is used from 1.2", 1.66),
        ),
    ],
)
def test_bf16_is_chosen_where_it_is_asked_for_or_clearly_faster(
    asked: str,
    has_gpu: bool,
    is_native: bool,
    speedup: float | None,
    expected: tuple[str, str, float | None],
) -> None:
    choice = choose_precision(Precision(asked), has_gpu=has_gpu, is_native=is_native, measure=lambda: speedup)
    assert (choice.chosen.value, choice.reason, choice.speedup) == expected


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("base"))


def adapted(base: Path, recipe: Recipe = LORA) -> tuple[Any, Any]:
    files = find_base(FolderBase(path=str(base), license="MIT"))
    torch.manual_seed(1)
    return prepare_model(load_model(files, dtype="float32"), recipe), load_tokenizer(files)


def test_a_measurement_changes_nothing(base: Path) -> None:
    model, _ = adapted(base)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    speedup = measure_speedup(model, lambda: model(input_ids=torch.tensor([[5, 6, 7, 8]]), use_cache=False))
    assert speedup is not None
    assert speedup > 0
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(
        weights.grad is None and weights.dtype == torch.float32 and weights.device.type == "cpu"
        for weights in model.parameters()
    )


@pytest.mark.parametrize("batching", [Batching.SHARED_PREFIX, Batching.RANDOM])
def test_frozen_weights_are_held_in_bf16_and_a_resumed_training_keeps_the_choice(
    batching: Batching, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.train import training

    class Killed(RuntimeError):
        pass

    def kill(step: int, _: object) -> None:
        if step == 5:
            raise Killed

    shared = msgspec.structs.replace(SHARED, batching=batching)
    monkeypatch.setattr(training, "supports_bf16", lambda: True)
    monkeypatch.setattr(training, "measure_speedup", lambda *_: 2.0)
    with pytest.raises(Killed):
        training.fit(*adapted(base), ROWS, ROWS[:1], shared, 1e-2, tmp_path, kill)
    monkeypatch.setattr(training, "measure_speedup", lambda *_: 1.0)
    losses: list[float] = []
    done = training.fit(
        *adapted(base), ROWS, ROWS[:1], shared, 1e-2, tmp_path, lambda _, found: losses.extend(found.values())
    )
    assert done.resumed_from == 3
    assert done.precision == PrecisionChoice(
        Precision.BF16, "a layer took 2.00 times as long in fp32; bf16 is used from 1.2", 2.0
    )
    assert losses[-1] < losses[0]
    assert {(weights.requires_grad, weights.dtype) for weights in done.model.parameters()} == {
        (True, torch.float32),
        (False, torch.bfloat16),
    }


def test_nothing_below_the_first_trained_layer_is_kept_for_gradients(base: Path) -> None:
    model, _ = adapted(base)
    kept: list[bool] = []
    for layer in find_layers(model):
        layer.register_forward_hook(lambda _, __, output: kept.append(output.requires_grad))
    model.train()(input_ids=torch.tensor([[5, 6, 7, 8]]))
    assert kept == [False, False, True]
