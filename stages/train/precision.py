"""Whether to compute in bf16 or in fp32: by a measurement on this machine, unless the parameters say which.

The names of runs depend on what the parameters ask for, never on what was measured.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from stages.train.params import Precision
from stages.train.recipes import find_layers

MIN_SPEEDUP: Final = 1.2
"""Below this, the difference may be noise, and fp32 gives the same weights on more processors."""
_ROUNDS: Final = 8
"""The fastest of several rounds counts: other work on the machine makes single ones slower."""


class PrecisionChoice(msgspec.Struct, frozen=True):
    """The number format of a run, and why; the manifest records it."""

    chosen: Precision
    """`fp32` or `bf16`."""
    reason: str
    speedup: float | None = None
    """Measured: the time of a step in fp32, divided by that in bf16."""


def choose_precision(
    asked: Precision, *, has_gpu: bool, is_native: bool, measure: Callable[[], float | None]
) -> PrecisionChoice:
    """Choose the number format: what was asked for, or by `auto` bf16 if it is clearly faster.

    has_gpu: whether training is on a GPU, where native bf16 is faster without doubt. is_native: whether the processor
    or the GPU has instructions for bf16. measure: the speedup by bf16 on this processor; `None`: it cannot be measured.

    >>> choose_precision(Precision.AUTO, has_gpu=False, is_native=True, measure=lambda: 1.5).chosen.value
    'bf16'
    """
    if asked != Precision.AUTO:
        return PrecisionChoice(asked, "train.shared.precision asks for it")
    if not is_native:
        return PrecisionChoice(Precision.FP32, "no instructions for bf16")
    if has_gpu:
        return PrecisionChoice(Precision.BF16, "the GPU has instructions for bf16")
    speedup = measure()
    if speedup is None:
        return PrecisionChoice(Precision.FP32, "the speed of bf16 is not measured for this model")
    chosen = Precision.BF16 if speedup >= MIN_SPEEDUP else Precision.FP32
    reason = f"a layer took {speedup:.2f} times as long in fp32; bf16 is used from {MIN_SPEEDUP:g}"
    return PrecisionChoice(chosen, reason, round(speedup, 2))


def measure_speedup(model: Any, compute: Callable[[], object]) -> float | None:
    """Measure how many times as fast bf16 is for forward and backward through the model's last layer.

    The layers are alike, so that one says enough, in a tenth of the time and memory. Random states are kept.

    compute: computes the output of the model for a batch. Returns `None` if the model has no list of layers.
    """
    import torch

    layers = find_layers(model)
    if layers is None:
        return None
    with torch.random.fork_rng():
        arguments, options = _record_inputs(compute, layers[-1])
        lean = copy.deepcopy(layers[-1])
        hold_frozen_weights_in_bf16(lean)
        dtype = torch.bfloat16 if has_adapters(lean) else torch.float32
        inputs = (_convert(arguments, dtype), _convert(options, dtype))
        plain, fast = [], []
        with skip_input_casts(lean):
            for _ in range(_ROUNDS + 1):
                plain.append(_time_layer(layers[-1], arguments, options, bf16=False))
                fast.append(_time_layer(lean, *inputs, bf16=True))
    return min(plain[1:]) / min(fast[1:])


def hold_frozen_weights_in_bf16(model: Any) -> None:
    """Convert the weights of a model with adapters that are not trained to bf16; nothing is cast in each step then.

    Adapters stay in fp32. So do models without adapters, which are saved whole, and what is left in fp32 of a base in
    4 bits.
    """
    import torch

    if has_adapters(model) and not is_quantized(model):
        for weights in model.parameters():
            if not weights.requires_grad and weights.is_floating_point():
                weights.data = weights.data.to(torch.bfloat16)


@contextmanager
def skip_input_casts(model: Any) -> Iterator[None]:
    """Keep adapters from casting their inputs to fp32 within this block: autocast casts their small weights instead."""
    if not has_adapters(model):
        yield
        return
    from peft.helpers import disable_input_dtype_casting

    with disable_input_dtype_casting(model):
        yield


def has_adapters(model: Any) -> bool:
    """Return whether a model, or one of its layers, has parameters that peft added to it."""
    from peft import PeftModel
    from peft.tuners.tuners_utils import BaseTunerLayer

    return isinstance(model, PeftModel) or any(isinstance(part, BaseTunerLayer) for part in model.modules())


def is_quantized(model: Any) -> bool:
    """Return whether a model has weights in 4 or 8 bits."""
    return not all(weights.is_floating_point() for weights in model.parameters())


def _record_inputs(compute: Callable[[], object], layer: Any) -> tuple[Any, Any]:
    """Record what a layer is given when the model processes a batch."""
    import torch

    recorded: list[tuple[Any, Any]] = []
    hook = layer.register_forward_pre_hook(
        lambda _, arguments, options: recorded.append((arguments, options)), with_kwargs=True
    )
    try:
        with torch.no_grad():
            compute()
    finally:
        hook.remove()
    return recorded[0]


def _convert(value: Any, dtype: Any) -> Any:
    """Convert all floating-point tensors in arguments."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.to(dtype) if value.is_floating_point() else value
    if isinstance(value, dict):
        return {name: _convert(member, dtype) for name, member in value.items()}
    return tuple(_convert(member, dtype) for member in value) if isinstance(value, tuple) else value


def _time_layer(layer: Any, arguments: Any, options: Any, *, bf16: bool) -> float:
    """Return the seconds that forward and backward through a layer take."""
    import torch

    hidden = arguments[0].detach().clone().requires_grad_()
    start = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        output = layer(hidden, *arguments[1:], **options)
    (output[0] if isinstance(output, tuple) else output).sum().backward()
    seconds = time.perf_counter() - start
    layer.zero_grad()
    return seconds
