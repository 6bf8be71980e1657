"""The section `evaluate` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class System(StrEnum):
    """What predicts a call."""

    BASE = "base"
    """The base model, asked as the tuned one is."""
    BASE_CONSTRAINED = "base_constrained"
    """The same, decoding held to the grammar of the tools shown."""
    RETRIEVED = "retrieved"
    """The base model with the nearest train rows in its prompt."""
    RETRIEVED_CONSTRAINED = "retrieved_constrained"
    NEAREST = "nearest"
    """No model: the call of the nearest train row, with the values that the utterance holds."""
    TUNED = "tuned"
    TUNED_CONSTRAINED = "tuned_constrained"


_LEAST: Final = {
    "max_rows": 1,
    "max_new_tokens": 1,
    "batch_rows": 1,
    "retrieved_examples": 0,
    "resamples": 1,
    "thin_slice": 1,
}


class EvaluateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is compared, and how."""

    compare: tuple[System, ...]
    reference: System
    speech: bool
    max_rows: int | None
    max_new_tokens: int
    batch_rows: int
    retrieved_examples: int
    resamples: int
    seed: int
    text_metrics: bool
    thin_slice: int

    def __post_init__(self) -> None:
        if not self.compare:
            raise ValueError("Expected at least one system, got none")
        if self.reference not in self.compare:
            raise ValueError(f"Expected evaluate.reference among evaluate.compare, got {self.reference!r}")
        for name, least in _LEAST.items():
            if (count := getattr(self, name)) is not None and count < least:
                raise ValueError(f"Expected {name} of at least {least}, got {count}")
