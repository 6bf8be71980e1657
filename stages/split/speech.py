"""The speech views that join the splits: an evaluation slice, and more rows for training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from exemplars.core.arrays import sort_unique
from exemplars.core.digests import hash_to_key
from exemplars.core.ids import SPLITS, SplitName, strip_speech
from exemplars.core.row_groups import RowGroups
from exemplars.core.tables import take_rows
from exemplars.dataset.texts import make_spelling_key
from stages.split.arrays import TRAIN, Keys, SplitCodes
from stages.split.splits import SplitPlan


def select_views(views: RowGroups, plan: SplitPlan, wanted: Sequence[SplitName]) -> Iterator[pa.Table]:
    """Yield the views of the rows of the wanted splits; their column `split` says which split that is.

    A view is in the split of its row. A view of a train row is left out if its text is in validation or
    test, or in a view of one of their rows: it would leak what is held out.
    """
    codes = [SPLITS.index(name) for name in wanted]
    if TRAIN in codes:
        finder = _SplitFinder(plan, range(len(SPLITS)))
        held_out = _collect_held_out(views, plan, finder)
    else:
        finder, held_out = _SplitFinder(plan, codes), np.empty(0, np.uint64)
    for table in views.scan():
        splits = finder.find(table)
        leaks = np.isin(_hash_texts(table), held_out) if len(held_out) else np.zeros(len(splits), np.bool_)
        is_wanted = np.isin(splits, codes)
        chosen = np.flatnonzero(is_wanted & ~((splits == TRAIN) & leaks)).tolist()
        names = pa.array([SPLITS[split] for split in splits[chosen].tolist()], pa.string())
        index = table.schema.get_field_index("split")
        yield take_rows(table, chosen).set_column(index, "split", names)


def _collect_held_out(views: RowGroups, plan: SplitPlan, finder: _SplitFinder) -> Keys:
    """Collect the texts of validation and test and of their views, as hashes."""
    parts = [plan.keys.read("spoken")[plan.splits > TRAIN]]
    for table in views.scan(("id", "utterance")):
        parts.append(_hash_texts(table)[finder.find(table) > TRAIN])
    return sort_unique(np.concatenate(parts))


def _hash_texts(views: pa.Table) -> Keys:
    texts = views.column("utterance").to_pylist()
    return np.array([hash_to_key(make_spelling_key(text)) for text in texts], np.uint64)


class _SplitFinder:
    """Finds the split of the row of a view."""

    def __init__(self, plan: SplitPlan, codes: Iterable[int]) -> None:
        """codes: of the splits whose rows are looked for."""
        rows = np.flatnonzero(np.isin(plan.splits, list(codes)))
        ids = plan.keys.read("id")[rows]
        order = np.argsort(ids)
        self._ids = ids[order]
        self._splits = plan.splits[rows[order]]

    def find(self, views: pa.Table) -> SplitCodes:
        """Find the split of each view; -1: its row is in none of those that are looked for."""
        if not len(self._ids):
            return np.full(views.num_rows, -1, np.int8)
        wanted = [hash_to_key(strip_speech(view)) for view in views.column("id").to_pylist()]
        keys = np.array(wanted, np.uint64)
        places = np.searchsorted(self._ids, keys).clip(max=len(self._ids) - 1)
        return np.where(self._ids[places] == keys, self._splits[places], np.int8(-1))
