"""The time of a training, from the operations that it takes and the speed of a device."""

from __future__ import annotations

from typing import Final

from stages.train.estimate.model_shape import ModelShape
from stages.train.estimate.trained import Trained
from stages.train.estimate.workload import Workload

_GPU_LAYER_SECONDS: Final = 1e-3
"""Of a layer in a step on a GPU, at least: it starts about a hundred kernels, which takes some 10 microseconds each."""


def count_operations(shape: ModelShape, trained: Trained, work: Workload) -> float:
    """Count the floating-point operations of a training, but for attention and the optimizer.

    A linear map takes 2 operations for each weight and token; as many for the gradient of its input, and as many for
    that of its weights (Kaplan et al. 2020, section 2.1). Layers below the trained ones process a batch once.
    """
    backward = sum(layer.weights for layer in shape.layers[len(shape.layers) - trained.layers :])
    frozen = sum(layer.weights for layer in shape.layers) - backward
    gradients = min(trained.parameters, frozen + backward) * (2 if trained.are_added else 1)
    share = work.largest.supervised / work.largest.tokens
    return 2 * work.tokens * (frozen / work.passes + 2 * backward + gradients + 2 * share * shape.embedding)


def estimate_seconds(operations: float, speed: float, layers: int, steps: int, on_gpu: bool) -> float:
    """Estimate the seconds of a training. speed: operations a second. layers: of the model.

    >>> estimate_seconds(4e12, 1e12, 30, 100, on_gpu=True)
    7.0
    """
    return operations / speed + (_GPU_LAYER_SECONDS * layers * steps if on_gpu else 0.0)
