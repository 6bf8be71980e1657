"""Preferences as TRL's trainers take them, in an order that is the same for the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from exemplars.core.digests import hash_to_fraction
from stages.train.alignment.inputs import PreferenceTokens

_SALT = "preferences"
"""Of the order of batches."""


def order_batches(rows: Iterable[PreferenceTokens], batch_rows: int) -> list[PreferenceTokens]:
    """Order rows so that those of a batch begin alike, and batches come in the order of a stable hash.

    The last batch is the one that may be smaller. batch_rows: of a batch.
    """
    alike = sorted(rows, key=lambda row: (row.prompt_ids, row.digest))
    batches = [alike[start : start + batch_rows] for start in range(0, len(alike), batch_rows)]
    batches.sort(key=lambda batch: (-len(batch), hash_to_fraction(batch[0].digest, _SALT)))
    return [row for batch in batches for row in batch]


def build_pairs(rows: Sequence[PreferenceTokens], batch_rows: int) -> list[dict[str, Any]]:
    """Build the examples of `DPOTrainer`, without labeled sides."""
    pairs = order_batches((row for row in rows if row.is_pair), batch_rows)
    return [
        {
            "prompt_ids": list(row.prompt_ids),
            "chosen_ids": list(row.chosen_ids),
            "rejected_ids": list(row.rejected_ids),
        }
        for row in pairs
    ]


def build_scored_pairs(rows: Sequence[PreferenceTokens], batch_rows: int) -> list[dict[str, Any]]:
    """Build the examples of `RewardTrainer`, without labeled sides: each side with its prompt."""
    return [
        {
            "chosen_ids": pair["prompt_ids"] + pair["chosen_ids"],
            "rejected_ids": pair["prompt_ids"] + pair["rejected_ids"],
        }
        for pair in build_pairs(rows, batch_rows)
    ]


def build_labels(rows: Sequence[PreferenceTokens], batch_rows: int) -> list[dict[str, Any]]:
    """Build the examples of `KTOTrainer`: each side of a pair, and labeled sides.

    Each prompt gets the answer to a second one of its batch as well, from which the trainer estimates the divergence:
    that half a batch further, so that it is no other side of the same pair.
    """
    sides = [
        (row.prompt_ids, side, label)
        for row in order_batches(rows, max(1, batch_rows // 2))
        for side, label in ((row.chosen_ids, True), (row.rejected_ids, False))
        if side
    ]
    examples = []
    for start in range(0, len(sides), batch_rows):
        batch = sides[start : start + batch_rows]
        shift = len(batch) // 2
        others = [*batch[shift:], *batch[:shift]]
        examples += [
            {
                "prompt_ids": list(prompt),
                "completion_ids": list(side),
                "KL_completion_ids": list(other),
                "label": label,
            }
            for (prompt, side, label), (_, other, _) in zip(batch, others, strict=True)
        ]
    return examples
