"""The section `evaluate` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=1)]


class System(StrEnum):
    """What predicts a call."""

    BASE = "base"
    """The base model, with the same prompt as the tuned one."""
    BASE_CONSTRAINED = "base_constrained"
    """The base model, with decoding constrained by the grammar of the shown tools."""
    RETRIEVED = "retrieved"
    """The base model, with the nearest train rows as examples in its prompt."""
    RETRIEVED_CONSTRAINED = "retrieved_constrained"
    KNN = "knn"
    """The kNN baseline, without a model: the call of the nearest train row, with the values in the utterance."""
    TUNED = "tuned"
    TUNED_CONSTRAINED = "tuned_constrained"


class EvaluateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which systems are compared, and how."""

    compare: Annotated[tuple[System, ...], msgspec.Meta(min_length=1)]
    reference: System
    speech: bool
    max_rows: Count | None
    max_new_tokens: Count
    batch_rows: Count
    retrieved_examples: Annotated[int, msgspec.Meta(ge=0)]
    resamples: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    seed: Annotated[int, msgspec.Meta(ge=0)]
    text_metrics: bool
    min_slice_rows: Count

    def __post_init__(self) -> None:
        if self.reference not in self.compare:
            raise ValueError(f"Expected evaluate.reference among evaluate.compare, got {self.reference!r}")
