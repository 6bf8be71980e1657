"""The section `evaluate` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum

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


class EvaluateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is compared, and how."""

    recipe: str
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
