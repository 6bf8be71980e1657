"""Frozen lower layers give the same output for a batch in every epoch: it is computed once and remembered.

Gradients end at the first trained layer, so that a remembered output changes neither losses nor gradients.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, Final

from stages.train.recipes import find_layers

MAX_BYTES: Final = 2**30
"""The size of all remembered outputs, at most; batches beyond it are computed in each epoch."""


class FrozenLayers:
    """Remembers the output of a model's frozen lower layers, by the content of the batch."""

    def __init__(self, layers: Sequence[Any]) -> None:
        """layers: the frozen ones, from the first; none: nothing is remembered."""
        self._layers = layers
        self._room = MAX_BYTES
        self._outputs: dict[bytes, Any] = {}
        self._key: bytes | None = None

    def expect(self, inputs: Mapping[str, Any] | None) -> None:
        """Prepare for the batch that the model processes next; `None`: one that is not worth remembering."""
        self._key = None if inputs is None or not self._layers else _hash_tensors(inputs)

    @contextmanager
    def remember(self) -> Iterator[None]:
        """Skip the frozen layers, within this block, for batches whose output is remembered."""
        originals = [layer.forward for layer in self._layers]
        for number, layer in enumerate(self._layers):
            layer.forward = self._make_forward(layer.forward, is_last=number == len(self._layers) - 1)
        try:
            yield
        finally:
            for layer, original in zip(self._layers, originals, strict=True):
                layer.forward = original
            self._outputs.clear()

    def _make_forward(self, original: Callable[..., Any], *, is_last: bool) -> Callable[..., Any]:
        def forward(hidden: Any, *arguments: Any, **options: Any) -> Any:
            known = None if self._key is None else self._outputs.get(self._key)
            if known is not None:
                return known if is_last else hidden
            output = original(hidden, *arguments, **options)
            if is_last and self._key is not None:
                self._keep(self._key, output)
            return output

        return forward

    def _keep(self, key: bytes, output: Any) -> None:
        """Keep an output if there is room. One with gradients depends on trained weights, such as soft prompts."""
        import torch

        if isinstance(output, torch.Tensor) and not output.requires_grad and output.nbytes <= self._room:
            self._room -= output.nbytes
            self._outputs[key] = output


def list_frozen_layers(model: Any) -> list[Any]:
    """List the layers below the first trained one; none if dropout makes their output differ between epochs."""
    settings = model.config.to_dict()
    has_dropout = any(
        isinstance(value, float) and value > 0
        for name, value in settings.items()
        if "dropout" in name or name.endswith("pdrop")
    )
    layers = find_layers(model)
    if has_dropout or layers is None:
        return []
    return list(takewhile(lambda layer: not any(map(_is_trained, layer.parameters())), layers))


def _is_trained(weights: Any) -> bool:
    return bool(weights.requires_grad)


def _hash_tensors(tensors: Mapping[str, Any]) -> bytes:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(str(tuple(tensors[name].shape)).encode())
        digest.update(tensors[name].cpu().contiguous().numpy().tobytes())
    return digest.digest()
