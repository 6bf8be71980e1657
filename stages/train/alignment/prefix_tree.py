"""Rows as a tree of tokens: what rows begin with alike is computed once, whatever they are.

The two answers of a preference have the same prompt, and prompts have the same tools. Causal attention computes the
same for equal beginnings, so that each distinct beginning needs one token of one sequence, which sees its ancestors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

ROOT = -1
"""The parent of a first token."""


class PrefixTree(NamedTuple):
    """Rows as a tree; the first three fields have an entry for each node, parents before their children."""

    tokens: list[int]
    parents: list[int]
    positions: list[int]
    """The position of the token in its rows, from 0."""
    rows: list[list[int]]
    """The node of each token of each row."""


def build_prefix_tree(rows: Sequence[Sequence[int]]) -> PrefixTree:
    """Build the tree of rows of tokens.

    >>> tree = build_prefix_tree([[5, 6, 7], [5, 6, 8]])
    >>> tree.tokens, tree.parents, tree.rows
    ([5, 6, 7, 8], [-1, 0, 1, 1], [[0, 1, 2], [0, 1, 3]])
    """
    tree = PrefixTree([], [], [], [])
    children: dict[tuple[int, int], int] = {}
    for row in rows:
        node, nodes = ROOT, []
        for position, token in enumerate(row):
            key = (node, token)
            if key not in children:
                children[key] = len(tree.tokens)
                tree.tokens.append(token)
                tree.parents.append(node)
                tree.positions.append(position)
            node = children[key]
            nodes.append(node)
        tree.rows.append(nodes)
    return tree


def build_tree_mask(parents: Sequence[int]) -> Any:
    """Build a boolean tensor of shape (nodes, nodes): true where a node, the first index, sees the second.

    A node sees itself and its ancestors.
    """
    import torch

    mask = torch.zeros(len(parents), len(parents), dtype=torch.bool)
    for node, parent in enumerate(parents):
        if parent != ROOT:
            mask[node] = mask[parent]
        mask[node, node] = True
    return mask
