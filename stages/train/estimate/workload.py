"""The work of a training: its steps and tokens, from rows or, without them, as a bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from stages.train.batches import build_batches, count_shared_tokens
from stages.train.params import Batching, Shared
from stages.train.recipe_params import (
    Continued,
    Dpo,
    Kto,
    Lsr,
    PromptTuning,
    Recipe,
    Retriever,
    Reward,
    Rloo,
    Tagger,
)
from stages.train.rows import IGNORED, TokenRow
from stages.train.tagger.batches import build_batches as cut_batches

_ANSWER_TOKENS: Final = 64
"""Of a row whose answer is not known, at most."""
_LETTERS: Final = 4
"""Code points of a token of a text in English, about."""
_SPECIAL: Final = 3
"""Tokens of a text that are not in it."""
_SAMPLE: Final = 3000
"""The rows whose batches are built; more rows take as many steps of this kind as they need."""


class StepSize(NamedTuple):
    """The size of a step."""

    tokens: int
    """With padding."""
    sequence: int
    """The tokens that attention compares with each other."""
    supervised: int
    """The tokens that the loss is computed at."""


class Workload(NamedTuple):
    """The work of a training."""

    steps: int | None
    """With those of folds; `None`: not known before there are rows."""
    largest: StepSize
    """The largest step, which memory depends on."""
    tokens: float
    """Of all steps; of one, if their number is not known."""
    is_bound: bool
    """Whether the largest step is a bound, not that of the rows."""
    passes: float = 1.0
    """How often each batch comes, if frozen layers process it once (`stages/train/frozen_layers.py`)."""


def bound_workload(recipe: Recipe, shared: Shared, max_tokens: int) -> Workload:
    """Bound the work of a training by its parameters. max_tokens: of a rendered row."""
    if isinstance(recipe, Retriever):  # A question and a document for each skill.
        tokens = 2 * recipe.batch_skills * recipe.max_tokens
        planned = (shared.max_steps or recipe.steps) * _count_trainings(recipe, shared)
        return Workload(planned, StepSize(tokens, recipe.max_tokens, 0), tokens * planned, is_bound=True)
    if isinstance(recipe, Lsr):
        tokens = recipe.batch_rows * recipe.max_tokens
        planned = shared.max_steps or recipe.epochs * math.ceil(recipe.rows / recipe.batch_rows)
        return Workload(planned, StepSize(tokens, recipe.max_tokens, 0), tokens * planned, is_bound=True)
    if isinstance(recipe, Tagger):
        limit, count = recipe.max_tokens, recipe.batch_rows
        step = StepSize(max(limit, min(recipe.batch_tokens, count * limit)), limit, 0)
    else:
        limit, count = max_tokens, count_step_rows(recipe, shared)
        supervised = min(limit, _ANSWER_TOKENS) * count
        if isinstance(recipe, Continued):
            limit, supervised = recipe.block_tokens, recipe.block_tokens * count
        elif isinstance(recipe, PromptTuning):
            limit += recipe.virtual_tokens
        packed = shared.batching in (Batching.SHARED_PREFIX, Batching.PACKING)
        step = StepSize(limit * count, limit * count if packed else limit, supervised)
    return Workload(shared.max_steps, step, step.tokens * (shared.max_steps or 1), is_bound=True)


def count_step_rows(recipe: Recipe, shared: Shared) -> int:
    """Count the rows of a step: of an alignment, each side of a preference is one."""
    if isinstance(recipe, Dpo | Reward):
        return 2 * recipe.batch_rows
    return recipe.batch_rows if isinstance(recipe, Kto | Rloo) else shared.batch_rows


def estimate_workload(recipe: Tagger | Retriever | Lsr, shared: Shared, lengths: Sequence[int]) -> Workload:
    """Estimate the work of an encoder on texts. lengths: of their code points, in all turns; at least one text."""
    tokens = [min(recipe.max_tokens, _SPECIAL + length // _LETTERS) for length in lengths]
    if isinstance(recipe, Retriever | Lsr):
        bound = bound_workload(recipe, shared, recipe.max_tokens)
        return bound._replace(tokens=bound.tokens * sum(tokens) / len(tokens) / recipe.max_tokens)
    batches = cut_batches(tokens, recipe.batch_rows, recipe.batch_tokens, shared.seed, 0)
    sizes = [len(batch) * max(tokens[place] for place in batch) for batch in batches]
    steps = (shared.max_steps or len(batches) * recipe.epochs) * _count_trainings(recipe, shared)
    largest = StepSize(max(sizes), max(tokens), 0)
    return Workload(steps, largest, steps * sum(sizes) / len(sizes), is_bound=False)


def _count_trainings(recipe: Tagger | Retriever, shared: Shared) -> int:
    """Count the trainings of a run: its own, and one for each fold, which has all rows but those of the fold.

    The epochs of k folds are as long as those of k - 1 trainings; other trainings take as many steps on any rows.
    """
    folds = recipe.folds or 0
    has_epochs = isinstance(recipe, Tagger) and shared.max_steps is None
    return max(1, folds) if has_epochs else 1 + folds


def measure_workload(recipe: Recipe, shared: Shared, rows: Sequence[TokenRow]) -> Workload:
    """Measure the work of a training on chat rows: at least one."""
    sample = rows[:_SAMPLE]
    added = recipe.virtual_tokens if isinstance(recipe, PromptTuning) else 0
    is_packed = shared.batching == Batching.SHARED_PREFIX and not added
    if is_packed:
        sizes = [_measure_packed(groups) for groups in build_batches(sample, shared.batch_rows)]
    else:
        by_length = sorted(sample, key=lambda row: -len(row.input_ids))
        batches = [
            by_length[start : start + shared.batch_rows] for start in range(0, len(sample), shared.batch_rows)
        ]
        sizes = [_measure_padded(batch, added) for batch in batches]
    largest = StepSize(*(max(values) for values in zip(*sizes, strict=True)))
    batches_a_pass = len(rows) / len(sample) * len(sizes)
    steps = shared.max_steps or max(1, math.ceil(shared.epochs * batches_a_pass))
    return Workload(
        steps,
        largest,
        steps * sum(size.tokens for size in sizes) / len(sizes),
        is_bound=False,
        passes=max(1.0, steps / batches_a_pass) if is_packed else 1.0,
    )


def _measure_packed(groups: Sequence[Sequence[TokenRow]]) -> StepSize:
    """Measure a step of rows that are concatenated, with their common prefix once."""
    tokens = 0
    for rows in groups:
        shared = count_shared_tokens(rows) if len(rows) > 1 else 0
        tokens += shared + sum(len(row.input_ids) - shared for row in rows)
    return StepSize(tokens, tokens, sum(_count_supervised(row) for rows in groups for row in rows))


def _measure_padded(rows: Sequence[TokenRow], added: int) -> StepSize:
    longest = added + max(len(row.input_ids) for row in rows)
    return StepSize(longest * len(rows), longest, max(map(_count_supervised, rows)) * len(rows))


def _count_supervised(row: TokenRow) -> int:
    return sum(label != IGNORED for label in row.labels)
