"""Rows as batches: padded on the left, or behind one another with their common prefix shared.

Where rows begin with the same tokens (the same instruction and tools), causal attention computes the same
for each of them. A shared prefix is computed once: its tokens stand in front, then what each row has of
its own, with the positions that it would have alone, and a mask by which it sees the prefix and itself.
Loss and gradients are those of the rows one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, Final, NamedTuple

IGNORED: Final = -100
"""The label of a position that is not supervised (PyTorch's `ignore_index`)."""


class LeftPadded:
    """A collator: `input_ids`, `labels`, `attention_mask` and `position_ids`, shape (rows, longest)."""

    def __init__(self, pad_token: int) -> None:
        """pad_token: what stands before the shorter rows, masked."""
        self._pad = pad_token

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The rows as one batch."""
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


def supervised_width(labels: Any) -> int:
    """How many of the last positions hold all labels of a batch; at least 1. labels: (rows, longest)."""
    held = (labels != IGNORED).any(dim=0).nonzero()
    return int(labels.shape[1] - held[0].item()) if held.numel() else 1


class Packed(NamedTuple):
    """Rows behind one another, as one sequence of T tokens."""

    input_ids: list[int]
    labels: list[int]
    position_ids: list[int]
    prefixes: list[int]
    """For each token the number of the prefix group that it belongs to."""
    parts: list[int]
    """For each token 0 where it is in a prefix, else the number of its row, from 1."""


def packed(groups: Sequence[Sequence[dict[str, Any]]]) -> Packed:
    """Groups of rows as one sequence; the rows of a group share their longest common prefix.

    At least one prompt token stays with each row, from which its first supervised token is predicted.
    """
    ids: list[int] = []
    labels: list[int] = []
    positions: list[int] = []
    prefixes: list[int] = []
    parts: list[int] = []
    row_number = 0
    for number, rows in enumerate(groups):
        shared = common_prefix(rows) if len(rows) > 1 else 0
        pieces = [(rows[0]["input_ids"][:shared], [IGNORED] * shared, 0, 0)] if shared else []
        for row in rows:
            row_number += 1
            pieces.append((row["input_ids"][shared:], row["labels"][shared:], shared, row_number))
        for piece, labelled, start, part in pieces:
            ids += piece
            labels += [IGNORED, *labelled[1:]] if piece else []
            positions += range(start, start + len(piece))
            prefixes += [number] * len(piece)
            parts += [part] * len(piece)
    return Packed(ids, labels, positions, prefixes, parts)


def common_prefix(rows: Sequence[dict[str, Any]]) -> int:
    """How many tokens all rows begin with alike, short of the last masked token of any row."""
    masked = [sum(1 for _ in takewhile(lambda label: label == IGNORED, row["labels"])) for row in rows]
    most = max(0, min(masked) - 1)
    for place, tokens in enumerate(zip(*(row["input_ids"][:most] for row in rows), strict=True)):
        if len(set(tokens)) > 1:
            return place
    return most


def batches_of(rows: Sequence[dict[str, Any]], batch_rows: int) -> list[list[list[dict[str, Any]]]]:
    """Batches of at most `batch_rows` rows; each is a list of groups, of rows with one `key`.

    Groups that do not fill a batch stand together in one.
    """
    by_key: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_key.setdefault(row["key"], []).append(row)
    groups = [
        found[start : start + batch_rows]
        for found in by_key.values()
        for start in range(0, len(found), batch_rows)
    ]
    batches: list[list[list[dict[str, Any]]]] = []
    room = 0
    for group in sorted(groups, key=len, reverse=True):
        if len(group) > room:
            batches.append([])
            room = batch_rows
        batches[-1].append(group)
        room -= len(group)
    return batches


class SharedPrefixes:
    """A collator of one packed batch: `attention_mask` has the shape (1, 1, T, T), true where seen."""

    def __call__(self, batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The batch as tensors. Raises `ValueError` for more than one."""
        import torch

        (one,) = batch
        prefixes, parts = torch.tensor(one["prefixes"]), torch.tensor(one["parts"])
        places = torch.arange(len(parts))
        seen = (
            (prefixes[:, None] == prefixes[None, :])
            & (places[:, None] >= places[None, :])
            & ((parts[None, :] == 0) | (parts[:, None] == parts[None, :]))
        )
        return {
            "input_ids": torch.tensor([one["input_ids"]]),
            "labels": torch.tensor([one["labels"]]),
            "position_ids": torch.tensor([one["position_ids"]]),
            "attention_mask": seen[None, None],
        }
