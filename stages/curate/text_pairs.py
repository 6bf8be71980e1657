"""Pairs of texts that are nearly the same: on disk, since with their texts they may take more than all rows do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core.table_streams import TableSpool


class TextPairs:
    """Tables of `TextPair`."""

    def __init__(self, spool: TableSpool) -> None:
        """spool: of pairs; several lists may share it."""
        self.spool = spool
        self._parts: list[int] = []

    def extend(self, tables: Iterable[pa.Table]) -> None:
        """Add pairs."""
        self._parts += map(self.spool.append, tables)

    def replace(self, pairs: pa.Table) -> None:
        """Forget the pairs so far, and take others."""
        self._parts = [self.spool.append(pairs)]

    def read(self) -> Iterator[pa.Table]:
        """Read the pairs, in their order."""
        return map(self.spool.read_part, self._parts)

    def count_by_column(self) -> dict[str, int]:
        """Count pairs by the column of their texts, sorted."""
        counts: Counter[str] = Counter()
        for table in self.read():
            for count in pc.value_counts(table.column("column")).to_pylist():
                counts[count["values"]] += count["counts"]
        return dict(sorted(counts.items()))
