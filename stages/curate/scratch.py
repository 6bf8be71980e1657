"""What the stage keeps on disk while it runs: as large as the data, and gone when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import pyarrow as pa

from exemplars.core.schemas import PAIR_SCHEMA, REJECTION_SCHEMA
from exemplars.core.table_streams import TableSpool, open_spool, open_unnamed
from exemplars.dataset.sketch_file import SketchFile

_TEXTS: Final = pa.schema([("text", pa.string())])


class Scratch(NamedTuple):
    """Files without names."""

    rejections: TableSpool
    pairs: TableSpool
    texts: TableSpool
    """The texts that are compared: a column `text`."""
    sketches: SketchFile
    """Those of the texts, in the same order."""
    columns: BinaryIO
    """For a `ColumnFile`."""


@contextmanager
def open_scratch(folder: Path) -> Iterator[Scratch]:
    """Open the files on the disk of a folder. Raises `OSError` if it cannot be written."""
    with (
        open_spool(folder, REJECTION_SCHEMA) as rejections,
        open_spool(folder, PAIR_SCHEMA) as pairs,
        open_spool(folder, _TEXTS) as texts,
        open_unnamed(folder) as sketches,
        open_unnamed(folder) as columns,
    ):
        yield Scratch(rejections, pairs, texts, SketchFile(sketches), columns)
