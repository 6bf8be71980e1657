"""The shape of a transformer, as far as memory and time depend on it: from the shapes of its weights."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_LAYER: Final = re.compile(r"\.(\d+)\.")
_EMBEDDING: Final = re.compile(r"(embed_tokens|token_embd|word_embeddings|wte)\.weight$")
_OUTPUT: Final = re.compile(r"(lm_head|^output)\.weight$")
_MATRIX: Final = 2


class Layer(NamedTuple):
    """A layer of a transformer."""

    matrices: tuple[tuple[int, int], ...]
    """The linear maps: (outputs, inputs)."""
    parameters: int

    @property
    def weights(self) -> int:
        """The number of weights of the linear maps."""
        return sum(outputs * inputs for outputs, inputs in self.matrices)


class ModelShape(NamedTuple):
    """The shape of a transformer."""

    layers: tuple[Layer, ...]
    vocabulary: int
    hidden: int
    """The width of the hidden states."""
    has_output: bool
    """Whether its output matrix is a weight of its own; otherwise that is the embedding, if it has one."""
    parameters: int

    @property
    def embedding(self) -> int:
        """The number of weights of the embedding."""
        return self.vocabulary * self.hidden

    @property
    def wide(self) -> int:
        """The width of the feed-forward part."""
        return max(outputs for outputs, _ in self.layers[0].matrices)

    @property
    def is_gated(self) -> bool:
        """Whether the feed-forward part has two maps to its width, one of which gates the other."""
        return [outputs for outputs, _ in self.layers[0].matrices].count(self.wide) > 1


def measure_shape(shapes: Mapping[str, tuple[int, ...]]) -> ModelShape | None:
    """Measure a transformer from the shapes of its weights by name; `None` if they are of something else."""
    embedding = next((shape for name, shape in shapes.items() if _EMBEDDING.search(name)), None)
    by_layer: dict[int, list[tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        if (found := _LAYER.search(name)) is not None:
            by_layer.setdefault(int(found[1]), []).append(shape)
    if embedding is None or len(embedding) != _MATRIX or not by_layer:
        return None
    layers = tuple(_measure_layer(by_layer[number]) for number in sorted(by_layer))
    if not all(layer.matrices for layer in layers):
        return None
    return ModelShape(
        layers=layers,
        vocabulary=embedding[0],
        hidden=embedding[1],
        has_output=any(_OUTPUT.search(name) for name in shapes),
        parameters=sum(map(math.prod, shapes.values())),
    )


def _measure_layer(shapes: list[tuple[int, ...]]) -> Layer:
    matrices = tuple((shape[0], shape[1]) for shape in shapes if len(shape) == _MATRIX)
    return Layer(matrices, sum(map(math.prod, shapes)))
