"""The section `curate` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

NonNegative = Annotated[int, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Similarity = Annotated[float, msgspec.Meta(ge=0.5, le=1)]
"""Below 0.5, MinHash misses too many pairs."""


class OnDuplicate(StrEnum):
    """What to do with a row that repeats another row."""

    KEEP = "keep"
    REJECT = "reject"


class OnConflict(StrEnum):
    """What to do with rows that have the same text and different labels."""

    KEEP = "keep"
    MAJORITY = "majority"
    """Keep the rows whose label more than half of the rows have."""
    REJECT = "reject"


class PrivacyMode(StrEnum):
    """What to do with personal data that no argument labels."""

    REPORT = "report"
    SURROGATE = "surrogate"
    REJECT = "reject"


class OnOriginals(StrEnum):
    """What happens to the tables of earlier stages, which have the texts that this stage replaces or rejects."""

    KEEP = "keep"
    PURGE = "purge"
    """`exemplars erase --purge` removes them from the workspace, the cache and the remote."""


class QualityFlag(StrEnum):
    """What may be wrong with a text."""

    TOO_SHORT = "too_short"
    """Fewer tokens than `min_tokens`."""
    TOO_LONG = "too_long"
    """More tokens than `max_tokens`."""
    REPETITIVE = "repetitive"
    """One word makes up more than `max_repetition` of at least six words."""
    TRUNCATED = "truncated"
    """It ends in a word that cannot end a sentence, or in an open bracket or quote."""
    WRONG_LANGUAGE = "wrong_language"
    """Most letters are not Latin, or a long text is identified as another language than English."""
    MARKUP = "markup"
    """Tags, entities, links in Markdown, code fences or chat-template tokens are left over."""
    MISSPELLING = "misspelling"
    """A lower-case word is in no dictionary, and a frequent word is one letter away."""
    FILLER_ONLY = "filler_only"
    """It asks for a skill, but consists of fillers alone ("um, uh, well")."""


class DuplicateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When rows repeat each other, and what to do then."""

    exact: OnDuplicate
    near: OnDuplicate
    similarity: Similarity
    max_group_rows: Count
    semantic: bool = False
    semantic_similarity: Similarity = 0.95


class ConflictParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When labels contradict each other, and what to do then."""

    action: OnConflict
    context_turns: NonNegative


class LabelNoiseParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to look for skills that are likely wrong."""

    enabled: bool
    features: Literal["words", "embeddings"]
    folds: Annotated[int, msgspec.Meta(ge=2)]
    top: NonNegative
    max_rows: NonNegative


class QualityParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which texts to flag, and which flags reject."""

    min_tokens: NonNegative
    max_tokens: Count
    max_repetition: Share
    reject: tuple[QualityFlag, ...]


class PrivacyParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do with personal data."""

    mode: PrivacyMode
    min_score: Share
    originals: OnOriginals = OnOriginals.KEEP


class CurateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is worth learning from."""

    duplicates: DuplicateParams
    conflicts: ConflictParams
    label_noise: LabelNoiseParams
    quality: QualityParams
    privacy: PrivacyParams
    lexicons: str
    """The folder of the lexicons."""
