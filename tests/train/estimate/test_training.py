"""What a training takes, with figures that can be computed by hand."""

from __future__ import annotations

import msgspec
import pytest

from exemplars.core.errors import UserError
from stages.train.estimate.devices import DEVICES, find_device
from stages.train.estimate.memory import Numbers, choose_numbers, estimate_memory
from stages.train.estimate.model_shape import ModelShape, measure_shape
from stages.train.estimate.trained import Trained, count_trained
from stages.train.estimate.training import Machine, estimate_training, suggest_changes
from stages.train.estimate.workload import (
    StepSize,
    Workload,
    bound_workload,
    estimate_workload,
    measure_workload,
)
from stages.train.params import Batching, Precision, Shared
from stages.train.recipe_params import DEFAULT_RECIPES, Freeze, Full, Lora, Retriever, Tagger
from stages.train.rows import TokenRow
from tests.train.estimate.headers import list_llama_shapes

GIB = 2**30
ROWS = [
    TokenRow([1, 2, 3, 4, 5], [-100, -100, -100, 4, 5], "a"),
    TokenRow([1, 2, 3, 6], [-100, -100, -100, 6], "a"),
    TokenRow([9, 9], [-100, 9], "b"),
]


def make_shape(layers: int = 2) -> ModelShape:
    shape = measure_shape(list_llama_shapes(layers, hidden=8, wide=16, keys=4, vocabulary=100))
    assert shape is not None
    return shape


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("full", Trained(800 + 8 + 2 * 592, 2, False)),
        ("lora", Trained(2 * 16 * (16 + 12 + 12 + 16 + 24 + 24 + 24), 2, True)),
        ("dora", Trained(2 * (16 * 128 + 8 + 4 + 4 + 8 + 16 + 16 + 8), 2, True)),
        ("qlora", Trained(2 * 16 * 128, 2, True, True)),
        ("prompt_tuning", Trained(20 * 8, 2, True)),
        ("freeze", Trained(2 * 592, 2, False)),
    ],
)
def test_the_parameters_that_a_recipe_trains_are_counted(recipe: str, expected: Trained) -> None:
    assert count_trained(DEFAULT_RECIPES[recipe], make_shape()) == expected


def test_only_the_last_layers_have_gradients() -> None:
    recipe = Lora(rank=1, alpha=1, layers=3, learning_rate=1.0)
    assert count_trained(recipe, make_shape(layers=5)) == Trained(3 * 128, 3, True)


def test_memory_is_the_sum_of_its_parts() -> None:
    shape = make_shape()
    work = Workload(1, StepSize(tokens=10, sequence=10, supervised=3), 10.0, is_bound=False)
    memory = estimate_memory(shape, Trained(1000, 2, False), work, Numbers(4, 4), on_gpu=False, dropout=False)
    saved = 10 * 2 * ((8 + 4 + 4 + 8 + 16 + 16 + 8) + 4 * 8 + 2 * 16)
    assert memory.weights == 4 * shape.parameters
    assert memory.optimizer == 12 * 1000
    assert memory.activations == int(saved * 4 * 1.15) + 3 * 100 * 4 * 4
    assert memory.total == memory.runtime + memory.weights + memory.optimizer + memory.activations
    adapters = estimate_memory(
        shape, Trained(1000, 2, True), work, Numbers(2, 2), on_gpu=False, dropout=False
    )
    assert (adapters.weights, adapters.optimizer) == (2 * shape.parameters, 16 * 1000)


@pytest.mark.parametrize(
    ("layers", "passes", "tokens", "expected"),
    [
        (1, 2.0, 2000.0, 1000 * 8 * 4),
        (1, 1.0, 2000.0, 0),
        (2, 2.0, 2000.0, 0),
        (1, 4.0, 4e9, 2**30),
    ],
    ids=["each batch once", "one pass", "no frozen layer", "at most 1 GiB"],
)
def test_memory_has_the_output_of_frozen_layers_if_batches_come_again(
    layers: int, passes: float, tokens: float, expected: int
) -> None:
    work = Workload(1, StepSize(10, 10, 0), tokens, is_bound=False, passes=passes)
    trained = Trained(10_000, layers, True)
    memory = estimate_memory(make_shape(), trained, work, Numbers(4, 4), on_gpu=False, dropout=False)
    assert memory.remembered == expected
    parts = memory.runtime + memory.weights + memory.optimizer + memory.activations
    assert memory.total == parts + expected


@pytest.mark.parametrize(
    ("precision", "on_gpu", "are_added", "expected"),
    [
        (Precision.AUTO, True, True, Numbers(2, 2)),
        (Precision.AUTO, True, False, Numbers(4, 2)),
        (Precision.AUTO, False, True, Numbers(4, 4)),
        (Precision.BF16, False, False, Numbers(2, 2)),
        (Precision.FP32, True, True, Numbers(4, 4)),
    ],
)
def test_numbers_have_half_the_bytes_where_training_computes_in_bf16(
    precision: Precision, on_gpu: bool, are_added: bool, expected: Numbers
) -> None:
    assert choose_numbers(precision, on_gpu, are_added) == expected


def test_the_work_of_rows_is_that_of_their_batches() -> None:
    packed = measure_workload(DEFAULT_RECIPES["lora"], Shared(batch_rows=2), ROWS)
    assert packed == Workload(2, StepSize(7, 7, 3), 9.0, is_bound=False)  # 1 2, 3 4 5, 3 6; then 9 9.
    twice = measure_workload(DEFAULT_RECIPES["lora"], Shared(batch_rows=2, epochs=2), ROWS)
    assert twice == Workload(4, StepSize(7, 7, 3), 18.0, is_bound=False, passes=2.0)
    padded = measure_workload(DEFAULT_RECIPES["lora"], Shared(batch_rows=2, batching=Batching.RANDOM), ROWS)
    assert padded == Workload(2, StepSize(10, 5, 4), 12.0, is_bound=False)
    assert measure_workload(DEFAULT_RECIPES["lora"], Shared(batch_rows=2, max_steps=7), ROWS).steps == 7


def test_without_rows_the_work_is_a_bound() -> None:
    assert bound_workload(DEFAULT_RECIPES["lora"], Shared(batch_rows=2), max_tokens=100) == Workload(
        None, StepSize(200, 200, 128), 200, is_bound=True
    )
    tagger = bound_workload(DEFAULT_RECIPES["tagger"], Shared(), max_tokens=100)
    assert tagger == Workload(None, StepSize(1024, 192, 0), 1024, is_bound=True)


def test_the_tokens_of_an_encoder_come_from_the_length_of_its_texts() -> None:
    tagger = msgspec.structs.replace(DEFAULT_RECIPES["tagger"], batch_rows=2, epochs=3)
    assert isinstance(tagger, Tagger)
    work = estimate_workload(tagger, Shared(), [40, 4, 4, 100_000])  # 13, 4, 4 and 192 tokens.
    assert work == Workload(6, StepSize(384, 192, 0), 3 * (2 * 4 + 2 * 192), is_bound=False)
    retriever = DEFAULT_RECIPES["retriever"]
    assert isinstance(retriever, Retriever)
    assert estimate_workload(retriever, Shared(max_steps=2), [4]).tokens == 2 * 2 * 24 * 4


def test_what_does_not_fit_has_suggestions_that_fit_and_the_smallest_changes_first() -> None:
    shape = measure_shape(list_llama_shapes(8, hidden=1024, wide=4096, keys=1024, vocabulary=32_000))
    assert shape is not None
    recipe, shared = Full(learning_rate=1.0), Shared(batch_rows=8)
    work = bound_workload(recipe, shared, max_tokens=512)
    total = estimate_training(recipe, shared, shape, work, Machine(0, 1.0, False)).memory.total
    nearly = Machine(total - GIB, 1.0, False)
    assert suggest_changes(recipe, shared, shape, work, nearly) == [
        "train.shared.batch_rows: 4",
        "a recipe that trains 4 layers",
        "the recipe lora",
        "the recipe qlora",
    ]
    smallest = ", with train.shared.batch_rows: 1, and half of render.max_tokens"
    assert suggest_changes(recipe, shared, shape, work, Machine(5 * GIB // 2, 1.0, False)) == [
        f"a recipe that trains 4 layers{smallest}",
        f"the recipe lora{smallest}",
        f"the recipe qlora{smallest}",
    ]
    fewer = msgspec.structs.replace(shared, batch_rows=1)
    lora = DEFAULT_RECIPES["lora"]
    small = estimate_training(lora, fewer, shape, bound_workload(lora, fewer, 256), Machine(0, 1.0, False))
    assert small.memory.total <= 5 * GIB // 2
    assert suggest_changes(recipe, shared, shape, work, Machine(GIB, 1.0, False)) == []


def test_time_is_operations_by_speed() -> None:
    shape, work = make_shape(), Workload(1, StepSize(10, 10, 0), 10.0, is_bound=False)
    weights = 2 * (8 * 8 * 2 + 4 * 8 * 2 + 16 * 8 * 3)
    full = estimate_training(DEFAULT_RECIPES["freeze"], Shared(), shape, work, Machine(GIB, 1000.0, False))
    assert full.seconds == pytest.approx(2 * 10 * 3 * weights / 1000)
    upper = Freeze(layers=1, learning_rate=1.0)
    once = estimate_training(upper, Shared(), shape, work, Machine(GIB, 1000.0, False))
    assert once.seconds == pytest.approx(2 * 10 * (1.5 * weights + 592) / 1000)
    twice = estimate_training(upper, Shared(), shape, work._replace(passes=2.0), Machine(GIB, 1000.0, False))
    assert twice.seconds == pytest.approx(2 * 10 * (1.25 * weights + 592) / 1000)
    unknown = estimate_training(
        DEFAULT_RECIPES["lora"], Shared(), shape, work._replace(steps=None), Machine(GIB, 1.0, False)
    )
    assert unknown.seconds is None


def test_a_device_that_is_not_known_lists_those_that_are() -> None:
    assert find_device("H100") is DEVICES["h100"]
    with pytest.raises(
        UserError, match=r"no device 'h10', expected one of cpu, a10, a100-40gb.*; did you mean 'h100'?"
    ):
        find_device("h10")


def test_a_retriever_reads_a_question_and_a_document_for_each_skill() -> None:
    recipe, shape = DEFAULT_RECIPES["retriever"], make_shape()
    work = bound_workload(recipe, Shared(), max_tokens=100)
    assert work == Workload(40, StepSize(2 * 24 * 128, 128, 0), 40 * 2 * 24 * 128, is_bound=True)
    assert count_trained(recipe, shape) == Trained(shape.parameters, 2, False)
    total = estimate_training(recipe, Shared(), shape, work, Machine(0, 1.0, False)).memory.total
    assert suggest_changes(recipe, Shared(), shape, work, Machine(total - 1, 1.0, False)) == [
        "train.recipes.retriever.batch_skills: 12"
    ]


@pytest.mark.parametrize(("recipe", "times"), [(Tagger(), 1), (Tagger(folds=3), 3), (Retriever(folds=3), 4)])
def test_the_work_of_folds_counts(recipe: Tagger | Retriever, times: int) -> None:
    """Three folds leave two thirds of the rows to each of three trainings; a retriever takes as many steps on them."""
    lengths = [40] * 64
    plain = estimate_workload(msgspec.structs.replace(recipe, folds=None), Shared(), lengths)
    work = estimate_workload(recipe, Shared(), lengths)
    assert (work.steps, work.tokens) == ((plain.steps or 0) * times, plain.tokens * times)
    assert work.largest == plain.largest
