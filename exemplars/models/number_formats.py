"""The number formats that a machine computes in."""

from __future__ import annotations


def supports_bf16() -> bool:
    """Return whether the GPU, or without one the processor, has instructions for bf16."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in names)
