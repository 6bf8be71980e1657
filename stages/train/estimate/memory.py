"""The memory of a training: weights, gradients, optimizer, activations and logits.

`tests/benchmarks/training_memory.py` compares it with the peak of real trainings.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from stages.train.estimate.model_shape import ModelShape
from stages.train.estimate.trained import Trained
from stages.train.estimate.workload import Workload
from stages.train.frozen_layers import MAX_BYTES
from stages.train.params import Precision

_FP32: Final = 4
_BF16: Final = 2
_NF4: Final = 0.53
"""Bytes of a weight in 4 bits, with its share of a scale for each 64 (Dettmers et al. 2023)."""
_ADAM_AVERAGES: Final = 2
_LOGIT_COPIES: Final = 4
"""Logits, their softmax, and the gradients of both."""
_HEAD_WIDTH: Final = 32
"""Of an attention head, at least."""
_TEMPORARY: Final = 1.15
"""What a backward pass holds for a moment, in addition to what the forward pass saved."""
RUNTIME: Final = {"cpu": 800 * 2**20, "gpu": 600 * 2**20}
"""Python with torch, transformers and trl, before a model is loaded; or the context of CUDA and its libraries."""


class MemoryEstimate(NamedTuple):
    """Memory in bytes."""

    runtime: int
    weights: int
    optimizer: int
    """Gradients and Adam's averages; with adapters, these, too."""
    activations: int
    """What the backward pass needs of the largest step, its logits included."""
    loading: int
    """While the weights are read: a second copy of them."""
    remembered: int
    """The output of frozen layers for all batches, if these come several times."""

    @property
    def total(self) -> int:
        """The peak: of training, or of loading."""
        return (
            self.runtime
            + self.weights
            + max(self.loading, self.optimizer + self.activations + self.remembered)
        )

    @property
    def certain(self) -> int:
        """What a training takes at least: all but what depends on its rows."""
        return self.weights + self.optimizer


class Numbers(NamedTuple):
    """How many bytes a number has."""

    weight: int
    activation: int


def choose_numbers(precision: Precision, on_gpu: bool, are_added: bool) -> Numbers:
    """Choose the sizes of numbers: `auto` computes in bf16 on a GPU, and then holds only frozen weights in it.

    On a CPU, where a measurement decides, it is assumed to compute in fp32, which takes more. are_added: whether the
    model's own weights are frozen.
    """
    computes_half = precision == Precision.BF16 or (precision == Precision.AUTO and on_gpu)
    holds_half = precision == Precision.BF16 or (computes_half and are_added)
    return Numbers(_BF16 if holds_half else _FP32, _BF16 if computes_half else _FP32)


def estimate_memory(
    shape: ModelShape, trained: Trained, work: Workload, numbers: Numbers, *, on_gpu: bool, dropout: bool
) -> MemoryEstimate:
    """Estimate the memory of a training.

    dropout: whether attention has dropout; then torch keeps the attention of all heads.
    """
    step = work.largest
    own = trained.parameters * (_FP32 if trained.are_added else numbers.weight)
    matrices = sum(layer.weights for layer in shape.layers)
    weights = shape.parameters * numbers.weight
    if trained.quantized:
        weights = int(matrices * _NF4) + (shape.parameters - matrices) * _FP32
    floats = step.tokens * _count_saved(shape, step.sequence if dropout else 0) * trained.layers
    logits = step.supervised * shape.vocabulary * _FP32 * _LOGIT_COPIES
    return MemoryEstimate(
        runtime=RUNTIME["gpu" if on_gpu else "cpu"],
        weights=weights,
        optimizer=own * (1 + _ADAM_AVERAGES) + (own if trained.are_added else 0),
        activations=int(floats * numbers.activation * _TEMPORARY) + logits,
        loading=shape.parameters * numbers.weight,
        remembered=_measure_remembered(shape, trained, work, numbers),
    )


def _measure_remembered(shape: ModelShape, trained: Trained, work: Workload, numbers: Numbers) -> int:
    """Measure the output of the layers below the trained ones, as far as it is remembered."""
    if work.passes == 1 or trained.layers == len(shape.layers):
        return 0
    return min(MAX_BYTES, int(work.tokens / work.passes) * shape.hidden * numbers.activation)


def _count_saved(shape: ModelShape, compared: int) -> int:
    """Count the numbers that the backward pass needs of a token in a layer.

    The outputs of the linear maps; the inputs of attention and feed-forward; what attention returns, and its copy; and
    what passes the activation function and the gate. compared: the tokens whose attention is kept: scores, softmax and
    mask of dropout.
    """
    outputs = sum(outputs for outputs, _ in shape.layers[0].matrices)
    feed_forward = shape.wide * (2 if shape.is_gated else 1)
    attention = 3 * compared * (shape.hidden // _HEAD_WIDTH)
    return outputs + 4 * shape.hidden + feed_forward + attention
