"""The rejections of the stage: the rows that are in no split, and why."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exemplars.core.arrays import sort_unique
from exemplars.core.ids import SPLITS
from exemplars.core.ledger import Problem, check_conservation, reject_row
from exemplars.core.records import Origin, Rejection
from exemplars.core.row_groups import RowGroups
from exemplars.core.tables import rows_from_table, take_rows
from stages.split.arrays import Rows
from stages.split.leaks import describe_leak
from stages.split.splits import SplitPlan


class _Row(msgspec.Struct, frozen=True):
    """What a rejection has of a row."""

    id: str
    source: str
    origin: Origin
    group: str
    skill: str | None
    utterance: str


def reject_rows(rows: RowGroups, plan: SplitPlan) -> Iterator[list[Rejection]]:
    """Yield the rejections of the rows that are in no split, row group by row group, in the order of the rows.

    Raises `UserError` at the end unless every row is in a split or rejected.
    """
    others = sort_unique(plan.leaks.others)
    other_ids = rows.take(others.tolist(), ("id",)).column("id").combine_chunks()
    rejected = 0
    for start, table in zip(rows.starts, rows.scan(_Row.__struct_fields__), strict=False):
        numbers = start + np.flatnonzero(plan.splits[start : start + table.num_rows] < 0)
        if len(numbers):
            problems = _list_problems(numbers, plan, others, other_ids)
            rejections = [
                reject_row(row, "split", [problems[number]])
                for row, number in zip(
                    rows_from_table(take_rows(table, numbers - start), _Row), numbers.tolist(), strict=True
                )
            ]
            rejected += len(rejections)
            yield rejections
    check_conservation("split", rows.rows, int((plan.splits >= 0).sum()), rejected)


def _list_problems(
    numbers: NDArray[np.int64], plan: SplitPlan, others: Rows, other_ids: pa.StringArray
) -> dict[int, Problem]:
    """List the problems of rows, by their numbers, which are in ascending order.

    others, other_ids: all rows that some row has a text in common with, in ascending order, and their ids.
    """
    problems = {row: plan.contaminated[row] for row in numbers.tolist() if row in plan.contaminated}
    leaks = slice(*np.searchsorted(plan.leaks.rows, [numbers[0], numbers[-1] + 1]))
    found = plan.leaks.others[leaks]
    for row, likeness, other_id, split in zip(
        plan.leaks.rows[leaks].tolist(),
        plan.leaks.likenesses[leaks].tolist(),
        other_ids.take(pa.array(np.searchsorted(others, found))).to_pylist(),
        plan.splits[found].tolist(),
        strict=True,
    ):
        problems[row] = describe_leak(likeness, other_id, SPLITS[split])
    return problems
