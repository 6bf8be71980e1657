"""Keys of exemplars: hashes of 63 bits, by which rows are compared without being in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exemplars.core.arrays import sort_unique
from exemplars.core.digests import hash_to_int, hash_to_key
from exemplars.core.records import Exemplar, Record
from stages.compile.contradictions import prefilter_key

Keys = NDArray[np.int64]
"""Keys, or the numbers of rows."""


def hash_answer(row: Record | Exemplar) -> int:
    """Compute the key of a turn and a service: the calls that one of them cannot be without."""
    return hash_to_key((row.turn, row.service))


KEYS: Final[Mapping[str, Callable[[Exemplar], int]]] = {
    "turn": lambda exemplar: hash_to_int(exemplar.turn.encode()),
    "answer": hash_answer,
    "content": prefilter_key,
    "template": lambda exemplar: hash_to_int(exemplar.exemplar.encode()),
}
"""The keys of an exemplar, by name."""
KEY_SCHEMA: Final = pa.schema([(name, pa.int64()) for name in KEYS])


def hash_exemplars(exemplars: Sequence[Exemplar]) -> pa.Table:
    """Compute the keys of exemplars: a table of `KEY_SCHEMA`."""
    columns = [pa.array(map(compute, exemplars), pa.int64()) for compute in KEYS.values()]
    return pa.Table.from_arrays(columns, schema=KEY_SCHEMA)


def mark_members(keys: Keys, wanted: Keys) -> NDArray[np.bool_]:
    """Return for each key whether it is one of those that are wanted. wanted: in ascending order."""
    if not len(wanted):
        return np.zeros(len(keys), np.bool_)
    members: NDArray[np.bool_] = wanted[np.searchsorted(wanted[:-1], keys)] == keys
    return members


def find_repeated(keys: Keys) -> Keys:
    """Find the keys that occur more than once, in ascending order."""
    ordered = np.sort(keys)
    return sort_unique(ordered[1:][ordered[1:] == ordered[:-1]])


def find_shared(keys: Keys, turns: Keys) -> Keys:
    """Find the keys that several turns have, in ascending order. turns: the key of the turn of each row."""
    order = np.argsort(keys, kind="stable")
    keys, turns = keys[order], turns[order]
    return sort_unique(keys[1:][(keys[1:] == keys[:-1]) & (turns[1:] != turns[:-1])])


def divide_classes(keys: Keys, rows: int) -> Iterator[NDArray[Any]]:
    """Divide rows into batches that rows with equal keys share; yield the numbers of each batch, in ascending order.

    rows: a batch has fewer than this, and those that have the last key of the batch.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    batches = np.searchsorted(ordered, ordered) // rows
    yield from map(np.sort, np.split(order, np.flatnonzero(np.diff(batches)) + 1))
