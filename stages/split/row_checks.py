"""What the stage would say of rows in memory: for commands that look at a few rows before a run."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from exemplars.core.ids import SPLITS, SplitName
from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar
from exemplars.core.table_streams import TableSpool
from stages.split.arrays import SplitCodes
from stages.split.contamination import find_contaminated
from stages.split.foreign_texts import ForeignText
from stages.split.leaks import describe_leak, find_leaks, hash_pairs
from stages.split.row_keys import KEY_SCHEMA, RowKeys, hash_rows
from stages.split.splits import find_contaminated_turns


def find_leaking_rows(
    rows: Sequence[Exemplar],
    splits: Mapping[str, SplitName],
    context_turns: int,
    pairs: Mapping[str, Iterable[tuple[str, str]]],
) -> dict[str, Problem]:
    """Find the rows that leak, as `find_leaks` does; return the problem of each, by its id.

    rows: sorted by id. splits: the split of each group. context_turns: the number of preceding turns that must be
    equal, too, for the same text to count.
    """
    codes = _list_codes(rows, splits)
    keys = _build_keys(rows, context_turns)
    hashed = {column: hash_pairs(texts) for column, texts in pairs.items()}
    leaks = find_leaks(keys, keys.sort_by_turn(), codes, hashed)
    return {
        rows[row].id: describe_leak(likeness, rows[other].id, SPLITS[codes[other]])
        for row, other, likeness in zip(*(column.tolist() for column in leaks), strict=True)
    }


def find_contaminated_rows(
    rows: Sequence[Exemplar],
    splits: Mapping[str, SplitName],
    texts: Sequence[ForeignText],
    similarity: float,
) -> dict[str, Problem]:
    """Find the train rows of turns that are in test sets of other people; return the problem of each, by its id.

    splits: the split of each group. texts, similarity: as in `find_contaminated`.
    """
    found = find_contaminated(rows, texts, similarity)
    numbers = {number: found[row.id] for number, row in enumerate(rows) if row.id in found}
    order = _build_keys(rows, 0).sort_by_turn()
    turns = find_contaminated_turns(order, _list_codes(rows, splits), numbers)
    return {rows[number].id: problem for number, problem in turns.items()}


def _build_keys(rows: Sequence[Exemplar], context_turns: int) -> RowKeys:
    spool = TableSpool(io.BytesIO(), KEY_SCHEMA)
    spool.append(hash_rows(rows, context_turns))
    return RowKeys(spool)


def _list_codes(rows: Sequence[Exemplar], splits: Mapping[str, SplitName]) -> SplitCodes:
    return np.array([SPLITS.index(splits[row.group]) for row in rows], np.int8)
