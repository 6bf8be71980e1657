"""Which parameters of a model a recipe trains, counted from its shape."""

from __future__ import annotations

from typing import NamedTuple

from stages.train.estimate.model_shape import Layer, ModelShape
from stages.train.recipe_params import (
    Adapter,
    Dpo,
    Freeze,
    Kto,
    Lora,
    PromptTuning,
    Recipe,
    Reward,
    Rloo,
    Tagger,
)


class Trained(NamedTuple):
    """What a recipe trains."""

    parameters: int
    layers: int
    """The number of last layers that gradients pass through."""
    are_added: bool
    """Whether the parameters are added to the model, whose own weights are frozen."""
    quantized: bool = False
    """Whether the model's own weights are held in 4 bits."""


def count_trained(recipe: Recipe, shape: ModelShape) -> Trained:
    """Count the parameters that a recipe trains."""
    layers = shape.layers
    match recipe:
        case Dpo() | Kto() | Reward() | Rloo():
            return count_trained(recipe.adapters, shape)
        case Lora():
            adapted = layers if recipe.layers is None else layers[-recipe.layers :]
            count = sum(map(lambda layer: _count_adapters(layer, recipe), adapted))
            return Trained(count, len(adapted), True, recipe.quantized)
        case Freeze():
            return Trained(
                sum(layer.parameters for layer in layers[-recipe.layers :]),
                len(layers[-recipe.layers :]),
                False,
            )
        case PromptTuning():
            return Trained(recipe.virtual_tokens * shape.hidden, len(layers), True)
        case Adapter():  # A scale for each output of keys and values, and for each input of the last map.
            return Trained(len(layers) * (2 * shape.hidden + shape.wide), len(layers), True)
        case Tagger() if not recipe.train_embeddings:
            return Trained(sum(layer.parameters for layer in layers), len(layers), False)
        case _:
            return Trained(shape.parameters, len(layers), False)


def _count_adapters(layer: Layer, recipe: Lora) -> int:
    """Count the weights of low-rank adapters on all linear maps of a layer; DoRA adds a magnitude for each output."""
    return sum(
        recipe.rank * (outputs + inputs) + (outputs if recipe.dora else 0)
        for outputs, inputs in layer.matrices
    )
