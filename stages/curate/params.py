"""The section `curate` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from exemplars.core import layout

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

    exact: OnDuplicate = OnDuplicate.REJECT
    """Rows with the same skill, utterance and values, ignoring case and the punctuation around words. reject: keep
    only the first by id; keep: keep all."""
    near: OnDuplicate = OnDuplicate.KEEP
    """Rows whose utterance or template is nearly the same. keep: join them in a group, which is never divided
    between splits; reject: keep only the first by id of each cluster and meaning."""
    similarity: Similarity = 0.8
    """Minimum Jaccard similarity, over runs of 4 characters and of 2 words, of texts that are nearly the same."""
    max_group_rows: Count = 60
    """Maximum number of rows of a joined group. Near duplicates that still cross splits are removed from train."""
    semantic: bool = False
    """Also compare meanings, by the cosine similarity of embeddings (needs the extra `embeddings`)."""
    semantic_similarity: Similarity = 0.95
    """Minimum of that similarity."""


class ConflictParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When labels contradict each other, and what to do then."""

    action: OnConflict = OnConflict.KEEP
    """Equal texts with different labels; all are put on the review list. keep: keep all; majority: keep those
    with the label of more than half of them; reject: keep none."""
    context_turns: NonNegative = 12
    """Number of preceding turns that must be equal, too, for labels to contradict each other."""


class LabelNoiseParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to look for skills that are likely wrong."""

    enabled: bool = True
    """Find rows whose skill is likely wrong. They are put on the review list, and never rejected."""
    features: Literal["words", "embeddings"] = "words"
    """words: TF-IDF, which needs no model; embeddings: all-MiniLM-L6-v2 (needs the extra `embeddings`)."""
    folds: Annotated[int, msgspec.Meta(ge=2)] = 5
    """Number of folds of the cross-validation; skills with fewer rows are left out."""
    top: NonNegative = 50
    """Maximum number of rows to list."""
    max_rows: NonNegative = 20000
    """Skip this check if there are more rows: its time grows with rows times skills."""


class QualityParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which texts to flag, and which flags reject."""

    min_tokens: NonNegative = 1
    """Minimum number of tokens, by spaCy's English tokenizer."""
    max_tokens: Count = 60
    """Maximum number of tokens."""
    max_repetition: Share = 0.5
    """Maximum share of a text, of six words or more, that may be the same word."""
    reject: tuple[QualityFlag, ...] = (QualityFlag.TOO_SHORT, QualityFlag.MARKUP)
    """Flags whose rows are rejected: too_short, too_long, repetitive, truncated, wrong_language, markup,
    misspelling, filler_only. Rows with other flags are counted, and put on the review list."""


class PrivacyParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do with personal data."""

    mode: PrivacyMode = PrivacyMode.REPORT
    """Personal data that no argument labels. report: count it, and put it on the review list; surrogate: replace
    it, using the key in the environment variable EXEMPLARS_SURROGATE_KEY; reject: reject the row."""
    min_score: Share = 0.4
    """Minimum confidence of a recognizer of personal data, from 0 to 1."""
    originals: OnOriginals = OnOriginals.KEEP
    """The tables of ingest and compile, which still have what surrogate and reject remove. keep: keep them; purge:
    `exemplars erase --purge` removes them from the workspace, the cache and the remote; see docs/erase.md."""


class CurateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is worth learning from."""

    duplicates: DuplicateParams = DuplicateParams()
    conflicts: ConflictParams = ConflictParams()
    label_noise: LabelNoiseParams = LabelNoiseParams()
    quality: QualityParams = QualityParams()
    privacy: PrivacyParams = PrivacyParams()
    lexicons: str = layout.LEXICONS
    """Folder of the lexicons of names, pronouns, places and ages."""
