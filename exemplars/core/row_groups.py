"""Tables that do not fit into memory: a Parquet file, one row group at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby
from pathlib import Path

import pyarrow as pa

from exemplars.core.tables import open_parquet, take_rows


class RowGroups:
    """The row groups of a Parquet file that a stage wrote; a row is named by its number in the file, from 0.

    It holds no rows, so that it can be sent to workers.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        """Raises `UserError` if the file is missing, is not Parquet, or does not have this schema."""
        self.path = path
        self._expected = schema
        with open_parquet(path, schema) as file:
            self.schema = file.schema_arrow
            """That of the file: Parquet has its own names for the items of lists."""
            metadata = file.metadata
            sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self.starts: list[int] = [0, *accumulate(sizes)]
        """The number of the first row of each row group, and at the end the number of rows."""

    def __len__(self) -> int:
        """Return the number of row groups."""
        return len(self.starts) - 1

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.starts[-1]

    def find_group(self, row: int) -> int:
        """Find the row group of a row."""
        return bisect_right(self.starts, row) - 1

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a row group. columns: those to read; `None`: all. Raises `UserError` if the file is damaged."""
        with open_parquet(self.path, self._expected) as file:
            return file.read_row_group(group, columns=None if columns is None else list(columns))

    def scan(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Read all row groups, one after the other; errors as in `read`."""
        with open_parquet(self.path, self._expected) as file:
            for group in range(len(self)):
                yield file.read_row_group(group, columns=None if columns is None else list(columns))

    def take(self, rows: Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
        """Take the rows with some numbers, which are sorted; each row group is read once."""
        parts = [self.schema.empty_table() if columns is None else self.schema.empty_table().select(columns)]
        for group, members in groupby(rows, self.find_group):
            places = [row - self.starts[group] for row in members]
            parts.append(take_rows(self.read(group, columns), places))
        return pa.concat_tables(parts)

    def name_group(self, group: int) -> str:
        """Name a row group in messages."""
        return f"{self.path}, row group {group}"
