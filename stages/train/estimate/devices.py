"""Devices that a training can be estimated for: their memory, and how fast they compute."""

from __future__ import annotations

from typing import Final, NamedTuple

from exemplars.core.errors import Diagnostic, UserError, suggest_name

_GIB: Final = 2**30
_GB: Final = 10**9
_TERA: Final = 10**12
TRAINING_SHARE: Final = 0.3
"""Of the peak of a GPU, what training reaches. The best runs, of larger models with fused kernels, reach 0.38 to 0.43
(Llama 3, arXiv 2407.21783, table 4) and 0.46 (PaLM, arXiv 2204.02311, table 3)."""


class Device(NamedTuple):
    """A device, as its maker describes it."""

    memory: int
    """Bytes."""
    peak: float
    """Operations a second, dense, bf16 with sums in fp32."""
    source: str

    @property
    def speed(self) -> float:
        """Operations a second that training reaches."""
        return self.peak * TRAINING_SHARE


def _device(gigabytes: int, teraflops: float, source: str) -> Device:
    return Device(gigabytes * _GB, teraflops * _TERA, source)


DEVICES: Final = {
    "a10": _device(24, 125, "NVIDIA A10 datasheet"),
    "a100-40gb": _device(40, 312, "NVIDIA A100 datasheet"),
    "a100-80gb": _device(80, 312, "NVIDIA A100 datasheet"),
    "h100": _device(80, 989, "NVIDIA H100 datasheet, SXM: 1,979 with sparsity"),
    "h200": _device(141, 989, "NVIDIA H200 datasheet, SXM: 1,979 with sparsity"),
    "l4": _device(24, 121, "NVIDIA L4 datasheet: 242 with sparsity"),
    "l40s": _device(48, 362, "NVIDIA L40S datasheet"),
    "rtx-3090": _device(24, 71, "NVIDIA Ampere GA102 whitepaper, table of the RTX 3090"),
    "rtx-4090": _device(24, 165, "NVIDIA Ada GPU architecture whitepaper, table of the RTX 4090"),
}
"""By name. None of them was measured in this project."""


def find_device(name: str) -> Device:
    """Find a device by its name. Raises `UserError`, which lists all, if the name is not known."""
    device = DEVICES.get(name.casefold())
    if device is None:
        names = ["cpu", *DEVICES]
        raise UserError(
            [
                Diagnostic(
                    path="--device",
                    code="unknown_device",
                    found=f"no device {name!r}",
                    expected=f"one of {', '.join(names)}",
                    fix=suggest_name(name, names) or "name one of these with as much memory",
                )
            ]
        )
    return device
