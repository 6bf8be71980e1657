"""Rows as batches: padded on the left, or concatenated with their common prefix shared.

Where rows begin with the same tokens (the same instruction and tools), causal attention computes the same
for each of them. A shared prefix is computed once: its tokens come first, followed by what each row has of
its own, at the positions that it would have alone, and with a mask by which it sees the prefix and itself.
Loss and gradients are those of the rows one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from stages.train.rows import IGNORED, TokenRow


class LeftPaddingCollator:
    """Collate rows to `input_ids`, `labels`, `attention_mask` and `position_ids`, shape (rows, longest)."""

    def __init__(self, pad_token: int) -> None:
        """pad_token: fills the start of shorter rows; it is masked."""
        self._pad = pad_token

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Pad the rows; each has `input_ids` and `labels`."""
        import torch

        longest = max(len(row["input_ids"]) for row in rows)
        batch: dict[str, list[list[int]]] = {
            "input_ids": [],
            "labels": [],
            "attention_mask": [],
            "position_ids": [],
        }
        for row in rows:
            length, missing = len(row["input_ids"]), longest - len(row["input_ids"])
            batch["input_ids"].append([self._pad] * missing + list(row["input_ids"]))
            batch["labels"].append([IGNORED] * missing + list(row["labels"]))
            batch["attention_mask"].append([0] * missing + [1] * length)
            batch["position_ids"].append([0] * missing + list(range(length)))
        return {name: torch.tensor(values) for name, values in batch.items()}


def measure_supervised_width(labels: Any) -> int:
    """Count the positions, from the end, that hold all labels of a batch; at least 1.

    labels: a tensor of shape (rows, longest).
    """
    supervised = (labels != IGNORED).any(dim=0).nonzero()
    return int(labels.shape[1] - supervised[0].item()) if supervised.numel() else 1


class PackedBatch(NamedTuple):
    """Rows packed into one sequence of T tokens; each field has T entries."""

    input_ids: list[int]
    labels: list[int]
    position_ids: list[int]
    prefixes: list[int]
    """For each token the number of the prefix group that it belongs to."""
    parts: list[int]
    """For each token 0 where it is in a prefix, else the number of its row, from 1."""


def pack_groups(groups: Sequence[Sequence[TokenRow]]) -> PackedBatch:
    """Pack groups of rows into one sequence; the rows of a group share their longest common prefix.

    At least one prompt token stays with each row, from which its first supervised token is predicted.

    >>> first, second = TokenRow([1, 2, 3], [-100, -100, 3], "k"), TokenRow([1, 2, 4], [-100, -100, 4], "k")
    >>> pack_groups([[first, second]]).input_ids
    [1, 2, 3, 2, 4]
    """
    batch = PackedBatch([], [], [], [], [])
    row_number = 0
    for group_number, rows in enumerate(groups):
        shared = count_shared_tokens(rows) if len(rows) > 1 else 0
        if shared:
            _append_tokens(batch, rows[0].input_ids[:shared], [IGNORED] * shared, 0, (group_number, 0))
        for row in rows:
            row_number += 1
            ids, labels = row.input_ids[shared:], row.labels[shared:]
            _append_tokens(batch, ids, labels, shared, (group_number, row_number))
    return batch


def _append_tokens(
    batch: PackedBatch, ids: Sequence[int], labels: Sequence[int], start: int, place: tuple[int, int]
) -> None:
    """Append tokens to the lists of a batch.

    start: the position of the first token. place: the numbers of the prefix group and of the row.
    """
    prefix, part = place
    batch.input_ids.extend(ids)
    # The first token is not predicted: the one before it in the sequence belongs to another row.
    batch.labels.extend([IGNORED, *labels[1:]] if ids else [])
    batch.position_ids.extend(range(start, start + len(ids)))
    batch.prefixes.extend([prefix] * len(ids))
    batch.parts.extend([part] * len(ids))


def count_shared_tokens(rows: Sequence[TokenRow]) -> int:
    """Count the tokens that all rows begin with, short of the last masked token of any row."""
    masked = [sum(1 for _ in takewhile(lambda label: label == IGNORED, row.labels)) for row in rows]
    limit = max(0, min(masked) - 1)
    for place, tokens in enumerate(zip(*(row.input_ids[:limit] for row in rows), strict=True)):
        if len(set(tokens)) > 1:
            return place
    return limit


def build_batches(rows: Sequence[TokenRow], batch_rows: int) -> list[list[list[TokenRow]]]:
    """Build batches of at most `batch_rows` rows; each is a list of groups of rows with the same key.

    Groups that do not fill a batch are put together, the largest first.
    """
    by_key: dict[str, list[TokenRow]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    groups = [
        same[start : start + batch_rows]
        for same in by_key.values()
        for start in range(0, len(same), batch_rows)
    ]
    batches: list[list[list[TokenRow]]] = []
    room = 0
    for group in sorted(groups, key=len, reverse=True):
        if len(group) > room:
            batches.append([])
            room = batch_rows
        batches[-1].append(group)
        room -= len(group)
    return batches


class SharedPrefixCollator:
    """Collate a packed batch; `attention_mask` has the shape (1, 1, T, T), true where a token is seen."""

    def __init__(self, multiple: int = 32) -> None:
        """multiple: T is one, by padding at the end.

        In bf16, a CPU's library prepares each matrix product for its sizes, which takes a seventh of a step if no other
        batch has them (oneDNN; docs/train.md).
        """
        self._multiple = multiple

    def __call__(self, batches: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Turn one packed batch into tensors. Raises `ValueError` if there are several."""
        import torch

        (batch,) = batches
        missing = -len(batch["parts"]) % self._multiple
        # A padding token sees nothing but itself, as a row of its own.
        prefixes = torch.tensor([*batch["prefixes"], *[-1] * missing])
        parts = torch.tensor([*batch["parts"], *range(-missing, 0)])
        places = torch.arange(len(parts))
        seen = (
            (prefixes[:, None] == prefixes[None, :])
            & (places[:, None] >= places[None, :])
            & ((parts[None, :] == 0) | (parts[:, None] == parts[None, :]))
        )
        return {
            "input_ids": torch.tensor([[*batch["input_ids"], *[0] * missing]]),
            "labels": torch.tensor([[*batch["labels"], *[IGNORED] * missing]]),
            "position_ids": torch.tensor([[*batch["position_ids"], *[0] * missing]]),
            "attention_mask": seen[None, None],
        }
