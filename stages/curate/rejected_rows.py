"""The ledger of the stage: rejections wait on disk, since there may be as many as there are rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exemplars.core.arrays import sort_unique
from exemplars.core.ledger import Problem, check_conservation, reject_row, report_incomplete_turn
from exemplars.core.records import Rejection
from exemplars.core.table_streams import TableSpool
from exemplars.core.tables import ROWS_PER_GROUP, take_rows
from exemplars.dataset.row_tables import rejections_from_table, rejections_to_table
from stages.curate.key_arrays import find_places, join_keys
from stages.curate.rows import Row, Rows

_STAGE: Final = "curate"


class RejectedRows:
    """The rows that steps reject."""

    def __init__(self, spool: TableSpool) -> None:
        """spool: of rejections; several ledgers may share it."""
        self.spool = spool
        self._parts: list[tuple[int, NDArray[np.int64]]] = []
        """Parts of the spool, each with the numbers of its rows."""
        self._counts: Counter[tuple[str, str]] = Counter()
        """The rows of each source and reason."""

    def __len__(self) -> int:
        """Return the number of rejected rows."""
        return self._counts.total()

    def drop(self, rows: Rows, numbers: NDArray[np.int64], find_problem: Callable[[Row], Problem]) -> Rows:
        """Reject some of the rows, and the other calls of their turns for the same service; return those that stay.

        numbers: of the rows that are rejected.
        """
        is_dropped = np.isin(rows.numbers, numbers)
        torn = _find_incomplete_turns(rows, is_dropped)
        is_dropped |= np.isin(rows.numbers, list(torn))
        for part in rows.select(is_dropped).divide_by_row_group():
            rejections = [
                reject_row(row, _STAGE, [torn.get(row.number) or find_problem(row)]) for row in part
            ]
            self._add(part.numbers, rejections)
        return rows.select(~is_dropped)

    def drop_found(self, rows: Rows, problems: Mapping[int, Problem]) -> Rows:
        """Reject rows as `drop` does. problems: by the numbers of the rows that are rejected."""
        return self.drop(rows, np.array(list(problems), np.int64), lambda row: problems[row.number])

    def _add(self, numbers: NDArray[np.int64], rejections: list[Rejection]) -> None:
        self._parts.append((self.spool.append(rejections_to_table(rejections)), numbers))
        self._counts.update((rejection.source, rejection.reason) for rejection in rejections)

    def extend(self, other: RejectedRows) -> None:
        """Add the rejections of another ledger with the same spool."""
        self._parts += other._parts
        self._counts.update(other._counts)

    def revise(self, revise: Callable[[Rejection], Rejection]) -> None:
        """Replace each rejection so far, for example by a copy without its text."""
        parts, self._parts = self._parts, []
        self._counts.clear()
        for part, numbers in parts:
            self._add(numbers, list(map(revise, rejections_from_table(self.spool.read_part(part)))))

    def count_by_reason(self, sources: Collection[str] | None = None) -> dict[str, int]:
        """Count rows by reason, sorted. sources: those of the rows that count; `None`: all."""
        reasons: Counter[str] = Counter()
        for (source, reason), count in self._counts.items():
            if sources is None or source in sources:
                reasons[reason] += count
        return dict(sorted(reasons.items()))

    def count_by_source(self) -> dict[str, int]:
        """Count rows by source, sorted."""
        sources: Counter[str] = Counter()
        for (source, _), count in self._counts.items():
            sources[source] += count
        return dict(sorted(sources.items()))

    def read(self) -> Iterator[pa.Table]:
        """Read all rejections, sorted by id, in tables of bounded size."""
        numbers = np.concatenate([np.empty(0, np.int64), *(numbers for _, numbers in self._parts)])
        sizes = [len(part) for _, part in self._parts]
        parts = np.repeat(np.arange(len(sizes)), sizes)
        places = np.arange(len(numbers)) - np.repeat(np.cumsum([0, *sizes])[:-1], sizes)
        order = np.argsort(numbers)
        for start in range(0, len(order), ROWS_PER_GROUP):
            chosen = np.sort(order[start : start + ROWS_PER_GROUP])
            tables = [
                take_rows(self.spool.read_part(self._parts[part][0]), places[chosen[parts[chosen] == part]])
                for part in sort_unique(parts[chosen]).tolist()
            ]
            yield take_rows(pa.concat_tables(tables), np.argsort(numbers[chosen]))

    def check_conservation(self, rows: int, kept: int) -> None:
        """Raise `UserError` unless every one of `rows` rows is kept or rejected."""
        check_conservation(_STAGE, rows, kept, len(self))


def _find_incomplete_turns(rows: Rows, is_dropped: NDArray[np.bool_]) -> dict[int, Problem]:
    """Find the rows that stay while another call of their turn is dropped: their numbers, each with its problem.

    The frames that a turn has for several services are labeled each by itself, so only calls of one service count.
    """
    answers = join_keys(rows["turn"], rows["service"])
    dropped, first = np.unique(answers[is_dropped], return_index=True)
    places = find_places(dropped, answers)
    is_torn = (places >= 0) & ~is_dropped
    lost = rows.select(is_dropped).select(first[places[is_torn]])
    ids = {row.number: row.id for row in lost.select(np.unique(lost.numbers, return_index=True)[1])}
    return {
        number: report_incomplete_turn(ids[other])
        for number, other in zip(rows.select(is_torn).numbers.tolist(), lost.numbers.tolist(), strict=True)
    }
