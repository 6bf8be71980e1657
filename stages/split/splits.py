"""The split of each row, without leaks, and the rows that are in none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.ids import SPLITS, SplitName
from exemplars.core.ledger import Ledger, Problem
from exemplars.core.records import Rejection
from exemplars.core.row_groups import RowGroups
from exemplars.core.tables import ROWS_PER_GROUP
from exemplars.core.workers import map_shards
from exemplars.dataset.row_tables import exemplars_from_table
from stages.split.assignment import assign_groups
from stages.split.foreign_texts import ForeignText
from stages.split.leaks import TRAIN, Leak, SplitCodes, describe_leak, find_leaks
from stages.split.params import Official, SplitParams
from stages.split.row_keys import KeyParams, Keys, RowKeys, hash_shard


class SplitPlan(NamedTuple):
    """Every exemplar is in a split or rejected."""

    splits: SplitCodes
    """The split of each row."""
    keys: RowKeys
    rejections: list[Rejection]
    """Sorted by id."""
    rescued: dict[str, str]
    """Groups that were moved so that a skill is in every split, with the skill."""


def plan_splits(
    rows: RowGroups,
    pairs: pa.Table,
    params: SplitParams,
    foreign: Sequence[ForeignText] = (),
    generated: Collection[str] = (),
    workers: int = 1,
) -> SplitPlan:
    """Assign every group to a split, and reject the rows that leak.

    rows: exemplars. pairs: their verified near duplicates (`PAIR_SCHEMA`). foreign: the texts of the test sets of other
    people. generated: the sources that a model wrote, whose rows keep their split (`train`) in any case.
    Raises `UserError` if the calls of a turn are in several groups, which splits might separate.
    """
    settings = KeyParams(params.leaks.context_turns, foreign, params.leaks.similarity)
    work = partial(hash_shard, settings, rows)
    parts, contaminated = list[Keys](), dict[int, Problem]()
    shards = map_shards(work, range(len(rows)), workers, "split", rows.name_group)
    for start, shard in zip(rows.starts, shards, strict=False):
        parts.append(shard.keys)
        contaminated |= {start + place: problem for place, problem in shard.contaminated.items()}
    keys = RowKeys(parts)
    del parts  # A second copy of all keys.
    _check_turns(rows, keys)
    splits, rescued = _assign_rows(rows, params, generated)
    leaks = find_leaks(keys, splits, _group_pairs(pairs))
    problems = find_contaminated_turns(keys, splits, contaminated) | _describe_leaks(rows, splits, leaks)
    ledger = _reject_rows(rows, problems)
    splits[list(problems)] = -1
    ledger.check_conservation(rows.rows, int((splits >= 0).sum()))
    return SplitPlan(splits, keys, ledger.rejections, rescued)


def _check_turns(rows: RowGroups, keys: RowKeys) -> None:
    problems = []
    for calls in keys.find_torn_turns():
        table = rows.take(sorted(calls), ("turn", "group"))
        turn, groups = table.column("turn")[0].as_py(), sorted({*table.column("group").to_pylist()})
        problems.append(
            Diagnostic(
                path=rows.path.as_posix(),
                code="torn_turn",
                found=f"calls of turn {turn} in the groups {summarize_names(groups)}",
                expected="one group",
                fix="give all calls of the turn one `group` in their source",
            )
        )
    if problems:
        raise UserError(problems)


def _assign_rows(
    rows: RowGroups, params: SplitParams, generated: Collection[str]
) -> tuple[SplitCodes, dict[str, str]]:
    """Return the split of each row, and the groups that were moved for a skill."""

    def read(*columns: str) -> Iterator[tuple[Any, ...]]:
        for table in rows.scan(columns):
            yield from zip(*(table.column(name).to_pylist() for name in columns), strict=True)

    prescribed: dict[str, SplitName] = {
        group: name
        for group, source, name in read("group", "source", "split")
        if name is not None and (params.official is Official.KEEP or source in generated)
    }
    skills = ((group, skill) for group, skill in read("group", "skill"))
    assignment = assign_groups(skills, prescribed, params.salt, params.ratios)
    codes = {group: SPLITS.index(name) for group, name in assignment.splits.items()}
    splits = np.fromiter((codes[group] for (group,) in read("group")), np.int8, rows.rows)
    return splits, assignment.rescued


def find_contaminated_turns(
    keys: RowKeys, splits: SplitCodes, contaminated: Mapping[int, Problem]
) -> dict[int, Problem]:
    """Return the train rows that are in a test set of other people: all calls of a turn if any of them is."""
    if not contaminated:
        return {}
    return {
        call: problem
        for calls in keys.list_turns()
        if splits[calls[0]] == TRAIN
        and (problem := next((contaminated[call] for call in calls if call in contaminated), None))
        is not None
        for call in calls
    }


def _describe_leaks(rows: RowGroups, splits: SplitCodes, leaks: Mapping[int, Leak]) -> dict[int, Problem]:
    others = sorted({leak.other for leak in leaks.values()})
    ids = dict(zip(others, rows.take(others, ("id",)).column("id").to_pylist(), strict=True))
    return {
        row: describe_leak(leak, ids[leak.other], SPLITS[splits[leak.other]]) for row, leak in leaks.items()
    }


def _reject_rows(rows: RowGroups, problems: Mapping[int, Problem]) -> Ledger:
    ledger = Ledger("split")
    numbers = sorted(problems)
    for start in range(0, len(numbers), ROWS_PER_GROUP):
        part = numbers[start : start + ROWS_PER_GROUP]
        exemplars = exemplars_from_table(rows.take(part))
        ledger.drop(
            exemplars, {row.id: problems[number] for row, number in zip(exemplars, part, strict=True)}
        )
    return ledger


def _group_pairs(pairs: pa.Table) -> dict[str, list[tuple[str, str]]]:
    """Group the pairs of texts by their column."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    columns = (pairs.column(name).to_pylist() for name in ("column", "first", "second"))
    for column, first, second in zip(*columns, strict=True):
        grouped.setdefault(column, []).append((first, second))
    return grouped
