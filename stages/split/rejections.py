"""The rejections of the stage: the rows that are in no split, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from exemplars.core.ids import SPLITS
from exemplars.core.ledger import Ledger, Problem, check_conservation
from exemplars.core.records import Rejection
from exemplars.core.row_groups import RowGroups
from exemplars.core.tables import ROWS_PER_GROUP
from exemplars.dataset.row_tables import exemplars_from_table
from stages.split.leaks import describe_leak
from stages.split.splits import SplitPlan


def reject_rows(rows: RowGroups, plan: SplitPlan) -> Iterator[list[Rejection]]:
    """Yield the rejections of the rows that are in no split, some at a time, in the order of the rows.

    Raises `UserError` at the end unless every row is in a split or rejected.
    """
    others = np.unique(plan.leaks.others)
    other_ids = rows.take(others.tolist(), ("id",)).column("id")
    numbers = np.flatnonzero(plan.splits < 0).tolist()
    rejected = 0
    for start in range(0, len(numbers), ROWS_PER_GROUP):
        part = numbers[start : start + ROWS_PER_GROUP]
        exemplars = exemplars_from_table(rows.take(part))
        problems = _list_problems(
            part, plan, lambda row: other_ids[int(np.searchsorted(others, row))].as_py()
        )
        ledger = Ledger("split")
        ledger.drop(
            exemplars, {row.id: problems[number] for row, number in zip(exemplars, part, strict=True)}
        )
        rejected += len(ledger.rejections)
        yield ledger.rejections
    check_conservation("split", rows.rows, int((plan.splits >= 0).sum()), rejected)


def _list_problems(rows: Sequence[int], plan: SplitPlan, find_id: Callable[[int], str]) -> dict[int, Problem]:
    """List the problems of rows, by their numbers, which are in ascending order. find_id: of another row."""
    problems = {row: plan.contaminated[row] for row in rows if row in plan.contaminated}
    first, last = np.searchsorted(plan.leaks.rows, [rows[0], rows[-1] + 1])
    columns = (column[first:last].tolist() for column in plan.leaks)
    for row, other, likeness in zip(*columns, strict=True):
        problems[row] = describe_leak(likeness, find_id(other), SPLITS[plan.splits[other]])
    return problems
