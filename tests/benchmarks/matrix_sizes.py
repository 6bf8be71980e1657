"""What a new size of a matrix product in bf16 costs on this processor: `python tests/benchmarks/matrix_sizes.py`."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor

WEIGHTS = (1536, 576)
"""Of a linear map of SmolLM2-135M: (outputs, inputs)."""
ROWS = range(301, 401)


def time_products(inputs: Sequence[Tensor], weights: Tensor) -> float:
    """Milliseconds of a product."""
    start = time.perf_counter()
    for rows in inputs:
        torch.nn.functional.linear(rows, weights)
    return (time.perf_counter() - start) / len(inputs) * 1e3


def main() -> None:
    """Multiply matrices of 100 sizes, twice."""
    weights = torch.randn(WEIGHTS, dtype=torch.bfloat16)
    inputs = [torch.randn(rows, WEIGHTS[1], dtype=torch.bfloat16) for rows in ROWS]
    time_products([torch.randn(300, WEIGHTS[1], dtype=torch.bfloat16)] * 20, weights)  # Warm.
    new, known = time_products(inputs, weights), time_products(inputs, weights)
    print(f"a product of a new size takes {new:.2f} ms, of a known size {known:.2f} ms")


if __name__ == "__main__":
    main()
