"""Which speech views go along with the splits: an evaluation slice, and more rows for training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from exemplars.core.tables import take_rows
from exemplars.dataset.texts import normalize_text

SUFFIX_MARK = "~"
"""What stands in the id of a view between the id of its row and the name of the view."""


def views_of_splits(views: pa.Table, splits: Mapping[str, pa.Table], wanted: Sequence[str]) -> pa.Table:
    """The views of the rows of the wanted splits, with their split in the column `split`.

    A view is where its row is. A view of a train row whose text stands in validation or test, or in a view
    of one of their rows, is left out: it would leak what is held out.
    """
    place = {row: name for name, table in splits.items() for row in table.column("id").to_pylist()}
    ids = [one.rpartition(SUFFIX_MARK)[0] for one in views.column("id").to_pylist()]
    texts = [normalize_text(text) for text in views.column("utterance").to_pylist()]
    held = {
        normalize_text(text)
        for name, table in splits.items()
        if name != "train"
        for text in table.column("utterance").to_pylist()
    }
    held |= {text for row, text in zip(ids, texts, strict=True) if place.get(row, "train") != "train"}
    rows = [
        number
        for number, (row, text) in enumerate(zip(ids, texts, strict=True))
        if (name := place.get(row)) in wanted and (name != "train" or text not in held)
    ]
    chosen = take_rows(views, rows)
    split = pa.array([place[ids[number]] for number in rows], pa.string())
    return chosen.set_column(chosen.schema.get_field_index("split"), "split", split)
