"""The section `evaluate` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=1)]


class Robustness(StrEnum):
    """A change of the prompts of the test turns."""

    TOOLS_SHUFFLED = "tools_shuffled"
    """The shown tools in another order."""
    MORE_DISTRACTORS = "more_distractors"
    """Five more tools."""
    RIGHT_TOOL_MISSING = "right_tool_missing"
    """Without the right tools, so that no call is right; of the turns that call something."""
    NAMES_MASKED = "names_masked"
    """Functions and parameters are called `function_1` and `argument_1`."""
    SCHEMA_V1 = "schema_v1"
    """Functions and parameters named and described as in the first variant of SGD-X; of prompts with SGD's services."""
    SCHEMA_V2 = "schema_v2"
    SCHEMA_V3 = "schema_v3"
    SCHEMA_V4 = "schema_v4"
    SCHEMA_V5 = "schema_v5"
    SPEECH = "speech"
    """The utterance as a speech recognizer would write it; of the turns that have such a view (`split.speech`)."""


class EvaluateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which systems are compared, and how."""

    compare: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("knn", "runs", "cascade")
    """The systems to compare. A run of train.runs by its name, a language model also as <run>_constrained (decoding is
    constrained by a grammar); runs: all of these; knn: the call of the nearest train row; cascade: the tagger where its
    confidence is at least 0.5, else the constrained language model; base and retrieved, also as ..._constrained: the
    base model, without and with the nearest train rows in its prompt."""
    reference: str = "cascade"
    """The system that the others are compared with, and whose slices and confusion matrix are reported."""
    tools: Count | None = None
    """Number of tools that a language model sees under end_to_end; null: as many as the retriever needs on validation
    (5 without a retriever)."""
    copy: bool = True
    """A constrained language model copies: a text is a span of what the prompt says, what an expression in it means, or
    a value of the parameter in train rows; parameters with composed values are free. false: texts are any texts."""
    robustness: tuple[Robustness, ...] = ()
    """Changes of the oracle's prompts that all systems answer as well: tools_shuffled, more_distractors,
    right_tool_missing, names_masked, speech, and schema_v1 to schema_v5, SGD-X's variants. Each takes as long as a
    condition."""
    schema_variants: str | None = None
    """Folder of the Schema-Guided Dialogue release that has sgd_x in it, for schema_v1 to schema_v5; null: none.
    Name it among the dependencies of evaluate in `dvc.yaml`."""
    speech: bool = False
    """Also evaluate on the speech views of the test rows (split.speech), for the slice `transcript`; takes twice
    as long."""
    max_rows: Count | None = None
    """Maximum number of test turns, sampled by stable hash; null: all."""
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
