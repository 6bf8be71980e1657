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

    compare: Annotated[tuple[System, ...], msgspec.Meta(min_length=1)] = (
        System.BASE,
        System.KNN,
        System.TUNED,
        System.TUNED_CONSTRAINED,
    )
    """The systems to compare: base, retrieved and tuned, each also as ..._constrained (decoding is constrained to
    the grammar of the shown tools); knn: the kNN baseline, the call of the nearest train row without a model."""
    reference: System = System.TUNED_CONSTRAINED
    """The system that the others are compared with, and whose slices and confusion matrix are reported."""
    speech: bool = False
    """Also evaluate on the speech views of the test rows (split.speech), for the slice `transcript`; takes twice
    as long."""
    max_rows: Count | None = 150
    """Maximum number of test rows, sampled by stable hash; null: all."""
    max_new_tokens: Count = 64
    """Maximum number of tokens of an answer; a longer answer is cut, and counts as wrong."""
    batch_rows: Count = 40
    """Number of prompts that are decoded together."""
    retrieved_examples: Annotated[int, msgspec.Meta(ge=0)] = 3
    """Number of train rows in the prompt of `retrieved`."""
    resamples: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1000
    """Number of bootstrap resamples, by group."""
    seed: Annotated[int, msgspec.Meta(ge=0)] = 1
    """Seed of the resamples."""
    text_metrics: bool = True
    """Compute ROUGE-L, BLEU and BERTScore of the calls as text."""
    min_slice_rows: Count = 5
    """Minimum number of rows of a slice; smaller slices are left out of the report."""

    def __post_init__(self) -> None:
        if self.reference not in self.compare:
            raise ValueError(f"Expected evaluate.reference among evaluate.compare, got {self.reference!r}")
