"""The section `curate` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from stages.curate.quality import Flag


class OnDuplicate(StrEnum):
    """What becomes of a row that another row repeats."""

    KEEP = "keep"
    REJECT = "reject"


class OnConflict(StrEnum):
    """What becomes of rows whose texts are equal and whose labels are not."""

    KEEP = "keep"
    MAJORITY = "majority"
    REJECT = "reject"


class PrivacyMode(StrEnum):
    """What becomes of personal data that nobody labelled."""

    REPORT = "report"
    SURROGATE = "surrogate"
    REJECT = "reject"


class Duplicates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When rows repeat each other, and what follows from it."""

    exact: OnDuplicate
    near: OnDuplicate
    similarity: float
    max_group_rows: int
    semantic: bool = False
    semantic_similarity: float = 0.95

    def __post_init__(self) -> None:
        for name in ("similarity", "semantic_similarity"):
            if not 0.5 <= getattr(self, name) <= 1:
                raise ValueError(f"Expected {name} from 0.5 to 1, got {getattr(self, name)}")


class Conflicts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When labels contradict each other, and what follows from it."""

    action: OnConflict
    context_turns: int


class LabelNoise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How likely wrong skills are looked for."""

    enabled: bool
    features: Literal["words", "embeddings"]
    folds: int
    top: int
    max_rows: int


class Quality(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which texts are flagged, and which flags reject."""

    min_tokens: int
    max_tokens: int
    max_repetition: float
    reject: tuple[Flag, ...]


class Privacy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done about personal data."""

    mode: PrivacyMode
    min_score: float


class CurateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is worth learning from."""

    duplicates: Duplicates
    conflicts: Conflicts
    label_noise: LabelNoise
    quality: Quality
    privacy: Privacy
    lexicons: str
