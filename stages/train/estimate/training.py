"""The estimate of a training on a machine: whether it fits, how long it takes, and what would fit instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from stages.train.estimate.duration import count_operations, estimate_seconds
from stages.train.estimate.memory import MemoryEstimate, choose_numbers, estimate_memory
from stages.train.estimate.model_shape import ModelShape
from stages.train.estimate.trained import Trained, count_trained
from stages.train.estimate.workload import Workload
from stages.train.params import Batching, Shared
from stages.train.recipe_params import (
    AlignedRecipe,
    Continued,
    Freeze,
    Full,
    Lora,
    Lsr,
    PromptTuning,
    Recipe,
    Retriever,
    Tagger,
)

_LORA: Final = Lora(rank=16, alpha=32, learning_rate=1e-3)


class Machine(NamedTuple):
    """What a training can have."""

    memory: int
    """Bytes that are free."""
    speed: float
    """Operations a second, as training reaches them."""
    on_gpu: bool


class TrainingEstimate(NamedTuple):
    """What a training takes."""

    trained: Trained
    memory: MemoryEstimate
    seconds: float | None
    """`None`: there are no rows yet."""


def estimate_training(
    recipe: Recipe, shared: Shared, shape: ModelShape, work: Workload, machine: Machine
) -> TrainingEstimate:
    """Estimate the memory and the time of a training."""
    trained = count_trained(recipe, shape)
    seconds = None
    if work.steps is not None:
        operations, layers = count_operations(shape, trained, work), len(shape.layers)
        seconds = estimate_seconds(operations, machine.speed, layers, work.steps, machine.on_gpu)
    return TrainingEstimate(
        trained,
        estimate_memory(
            shape,
            trained,
            work,
            choose_numbers(shared.precision, machine.on_gpu, trained.are_added),
            on_gpu=machine.on_gpu,
            dropout=isinstance(recipe, Tagger | Retriever | Lsr),
        ),
        seconds,
    )


def suggest_changes(
    recipe: Recipe, shared: Shared, shape: ModelShape, work: Workload, machine: Machine
) -> list[str]:
    """Suggest changes of parameters with which a training fits; none if nothing helps.

    First the smallest change of its steps that is enough, then other recipes, with smaller steps where they need them.
    """
    smaller = _list_smaller_steps(recipe, shared, work)
    groups: list[list[_Change]] = [[_Change(name, recipe, fewer) for name, fewer in smaller]]
    for other, name in _list_recipes(recipe):
        groups.append([_Change(name, other, work)])
        groups[-1] += [_Change(f"{name}, with {step}", other, fewer) for step, fewer in smaller[-1:]]

    def fits(change: _Change) -> bool:
        estimate = estimate_training(change.recipe, shared, shape, change.work, machine)
        return estimate.memory.total <= machine.memory

    enough = (next(filter(fits, group), None) for group in groups)
    return [change.name for change in enough if change is not None]


class _Change(NamedTuple):
    """A change of parameters, and the training that it makes of another."""

    name: str
    recipe: Recipe
    work: Workload


def _list_smaller_steps(recipe: Recipe, shared: Shared, work: Workload) -> list[tuple[str, Workload]]:
    """List works with smaller steps: with fewer rows, then with shorter ones, too."""
    if isinstance(recipe, Tagger):
        names = (("train.recipes.tagger.batch_tokens", recipe.batch_tokens),)
        return [
            (f"{key}: {value // factor}", _shrink(work, factor, 1))
            for key, value in names
            for factor in (2, 4)
            if value // factor >= recipe.max_tokens
        ]
    if isinstance(recipe, Retriever):
        counts = [recipe.batch_skills // factor for factor in (2, 4)]
        key = "train.recipes.retriever.batch_skills"
        return [
            (f"{key}: {count}", _shrink(work, recipe.batch_skills / count, 1))
            for count in counts
            if count > 1
        ]
    is_aligned = isinstance(recipe, AlignedRecipe)
    now = recipe.batch_rows if isinstance(recipe, AlignedRecipe) else shared.batch_rows
    name = "batch_rows of the recipe" if is_aligned else "train.shared.batch_rows"
    least = 2 if is_aligned else 1
    rows = sorted({max(least, now // factor) for factor in (2, 4, now)}, reverse=True)
    packed = shared.batching in (Batching.SHARED_PREFIX, Batching.PACKING)
    fewer = [(f"{name}: {count}", _shrink(work, now / count, 1, packed)) for count in rows if count < now]
    key = "block_tokens of the recipe" if isinstance(recipe, Continued) else "render.max_tokens"
    shorter = f"{name}: {least}, and half of {key}"
    return [*fewer, (shorter, _shrink(work, now / least, 2, packed))]


def _shrink(work: Workload, rows: float, length: float, packed: bool = False) -> Workload:
    """Shrink the steps of a work: the number and the length of their rows by a factor each."""
    largest = work.largest
    sequence = largest.sequence / length / (rows if packed else 1)
    return work._replace(
        largest=largest._replace(
            tokens=max(1, int(largest.tokens / rows / length)),
            sequence=max(1, int(sequence)),
            supervised=int(largest.supervised / rows),
        )
    )


def _list_recipes(recipe: Recipe) -> Sequence[tuple[Recipe, str]]:
    """List recipes that take less memory than another."""
    match recipe:
        case Full():
            return [
                (Freeze(layers=4, learning_rate=2e-4), "a recipe that trains 4 layers"),
                *_list_adapters(),
            ]
        case Freeze():
            lean = msgspec.structs.replace(recipe, layers=1)
            return [(lean, "layers: 1 in the recipe"), *_list_adapters()]
        case Lora() if not recipe.quantized:
            return [(msgspec.structs.replace(recipe, quantized=True), "the recipe qlora")]
        case PromptTuning():
            return _list_adapters()
        case _:
            return []


def _list_adapters() -> list[tuple[Recipe, str]]:
    return [(_LORA, "the recipe lora"), (msgspec.structs.replace(_LORA, quantized=True), "the recipe qlora")]
