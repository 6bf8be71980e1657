"""The speech views that join the splits: an evaluation slice, and more rows for training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from exemplars.core.ids import strip_speech
from exemplars.core.tables import take_rows
from exemplars.dataset.texts import make_spelling_key


def select_views(views: pa.Table, splits: Mapping[str, pa.Table], wanted: Sequence[str]) -> pa.Table:
    """Select the views of the rows of the wanted splits; their column `split` says which split that is.

    A view is in the split of its row. A view of a train row is left out if its text is in validation or
    test, or in a view of one of their rows: it would leak what is held out.
    """
    split_of_row = {
        row_id: name for name, table in splits.items() for row_id in table.column("id").to_pylist()
    }
    view_splits = [split_of_row.get(strip_speech(view_id)) for view_id in views.column("id").to_pylist()]
    texts = [make_spelling_key(text) for text in views.column("utterance").to_pylist()]
    held_out = {
        make_spelling_key(text)
        for name, table in splits.items()
        if name != "train"
        for text in table.column("utterance").to_pylist()
    }
    held_out |= {text for name, text in zip(view_splits, texts, strict=True) if name not in (None, "train")}
    chosen = [
        (number, name)
        for number, (name, text) in enumerate(zip(view_splits, texts, strict=True))
        if name in wanted and (name != "train" or text not in held_out)
    ]
    table = take_rows(views, [number for number, _ in chosen])
    names = pa.array([name for _, name in chosen], pa.string())
    return table.set_column(table.schema.get_field_index("split"), "split", names)
