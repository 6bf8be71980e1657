"""The speech views that join the splits: an evaluation slice, and more rows for training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exemplars.core.digests import hash_to_key
from exemplars.core.ids import SPLITS, SplitName, strip_speech
from exemplars.core.row_groups import RowGroups
from exemplars.core.tables import take_rows
from exemplars.dataset.texts import make_spelling_key
from stages.split.leaks import TRAIN, SplitCodes
from stages.split.splits import SplitPlan


def select_views(views: RowGroups, plan: SplitPlan, wanted: Sequence[SplitName]) -> Iterator[pa.Table]:
    """Yield the views of the rows of the wanted splits; their column `split` says which split that is.

    A view is in the split of its row. A view of a train row is left out if its text is in validation or
    test, or in a view of one of their rows: it would leak what is held out.
    """
    order = np.argsort(plan.keys.id)
    held_out = _collect_held_out(views, plan, order) if "train" in wanted else set()
    for table in views.scan():
        splits = _find_splits(table, plan, order)
        texts = table.column("utterance").to_pylist() if held_out else [""] * table.num_rows
        chosen = [
            place
            for place, (split, text) in enumerate(zip(splits.tolist(), texts, strict=True))
            if split >= 0
            and SPLITS[split] in wanted
            and not (split == TRAIN and held_out and hash_to_key(make_spelling_key(text)) in held_out)
        ]
        names = pa.array([SPLITS[split] for split in splits[chosen].tolist()], pa.string())
        index = table.schema.get_field_index("split")
        yield take_rows(table, chosen).set_column(index, "split", names)


def _collect_held_out(views: RowGroups, plan: SplitPlan, order: NDArray[np.int64]) -> set[int]:
    """Collect the texts of validation and test and of their views, as hashes."""
    held_out = {*plan.keys.spoken[plan.splits > TRAIN].tolist()}
    for table in views.scan(("id", "utterance")):
        splits = _find_splits(table, plan, order)
        texts = table.column("utterance").to_pylist()
        held_out |= {
            hash_to_key(make_spelling_key(text))
            for split, text in zip(splits.tolist(), texts, strict=True)
            if split > TRAIN
        }
    return held_out


def _find_splits(views: pa.Table, plan: SplitPlan, order: NDArray[np.int64]) -> SplitCodes:
    """Find the split of the row of each view; -1: it is in none. order: of the rows by the hashes of their ids."""
    if not len(order):
        return np.full(views.num_rows, -1, np.int8)
    ids = [hash_to_key(strip_speech(view)) for view in views.column("id").to_pylist()]
    keys = np.array(ids, np.uint64)
    places = np.searchsorted(plan.keys.id, keys, sorter=order).clip(max=len(order) - 1)
    rows = order[places]
    return np.where(plan.keys.id[rows] == keys, plan.splits[rows], np.int8(-1))
