"""The split of each row, without leaks, and the rows that are in none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from exemplars.core.arrays import sort_unique
from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.ids import SPLITS
from exemplars.core.ledger import Problem
from exemplars.core.memory import return_freed_pages
from exemplars.core.row_groups import RowGroups
from exemplars.core.table_streams import TableSpool
from exemplars.core.workers import map_shards
from stages.split.arrays import TRAIN, Groups, Keys, SplitCodes, TurnOrder, find_torn_turns
from stages.split.assignment import GroupAssigner
from stages.split.foreign_texts import ForeignText
from stages.split.leaks import Leaks, Pairs, find_leaks, hash_pairs
from stages.split.params import Official, SplitParams
from stages.split.row_keys import KeyParams, RowKeys, hash_shard


class SplitInputs(NamedTuple):
    """What the stage looks at."""

    rows: RowGroups
    """Exemplars."""
    pairs: RowGroups
    """Their verified near duplicates (`PAIR_SCHEMA`)."""
    foreign: Sequence[ForeignText] = ()
    """The texts of the test sets of other people."""
    generated: Collection[str] = ()
    """The sources that a model wrote, whose rows keep their split (`train`) in any case."""


class SplitPlan(NamedTuple):
    """Every exemplar is in a split or rejected."""

    splits: SplitCodes
    """The split of each row."""
    keys: RowKeys
    groups: Groups
    leaks: Leaks
    contaminated: dict[int, Problem]
    """The train rows that are in a test set of other people, by their numbers; they may leak, too."""
    rescued: dict[str, str]
    """Groups that were moved so that a skill is in every split, with the skill."""


def plan_splits(inputs: SplitInputs, params: SplitParams, spool: TableSpool, workers: int = 1) -> SplitPlan:
    """Assign every group to a split, and find the rows that leak.

    spool: of `KEY_SCHEMA`, empty, and open as long as the plan is used. Raises `UserError` if the calls of a turn are
    in several groups, which splits might separate.
    """
    rows = inputs.rows
    settings = KeyParams(params.leaks.context_turns, inputs.foreign, params.leaks.similarity)
    work = partial(hash_shard, settings, rows)
    contaminated: dict[int, Problem] = {}
    shards = map_shards(work, range(len(rows)), workers, "split", rows.name_group)
    for start, shard in zip(rows.starts, shards, strict=False):
        spool.append(shard.keys)
        contaminated |= {start + place: problem for place, problem in shard.contaminated.items()}
    keys = RowKeys(spool)
    order, groups = keys.sort_by_turn(), keys.number_groups()
    _check_turns(rows, order, groups)
    group_splits, rescued = _assign_groups(inputs, groups, params)
    splits = group_splits[groups.numbers]
    leaks = find_leaks(keys, order, splits, _hash_pairs(inputs.pairs))
    contaminated = find_contaminated_turns(order, splits, contaminated)
    splits[leaks.rows] = -1
    splits[list(contaminated)] = -1
    return_freed_pages()
    return SplitPlan(splits, keys, groups, leaks, contaminated, rescued)


def _check_turns(rows: RowGroups, order: TurnOrder, groups: Groups) -> None:
    problems = []
    for calls in find_torn_turns(order, groups):
        table = rows.take(sorted(calls), ("turn", "group"))
        turn, names = table.column("turn")[0].as_py(), sorted({*table.column("group").to_pylist()})
        problems.append(
            Diagnostic(
                path=rows.path.as_posix(),
                code="torn_turn",
                found=f"calls of turn {turn} in the groups {summarize_names(names)}",
                expected="one group",
                fix="give all calls of the turn one `group` in their source",
            )
        )
    if problems:
        raise UserError(problems)


def _assign_groups(
    inputs: SplitInputs, groups: Groups, params: SplitParams
) -> tuple[SplitCodes, dict[str, str]]:
    """Return the split of each group, and the groups that were moved for a skill."""
    rows = inputs.rows
    assigner = GroupAssigner(len(groups.first_rows), params.salt, params.ratios)
    codes = {name: code for code, name in enumerate(SPLITS)}
    for start, table in zip(rows.starts, rows.scan(("source", "split")), strict=False):
        prescribed = np.array([codes.get(name, -1) for name in table.column("split").to_pylist()], np.int8)
        if params.official is not Official.KEEP:
            sources = table.column("source").to_pylist()
            prescribed[[source not in inputs.generated for source in sources]] = -1
        numbers = groups.numbers[start : start + table.num_rows]
        assigner.prescribe(numbers[prescribed >= 0], prescribed[prescribed >= 0])
    for start, table in zip(rows.starts, rows.scan(("group", "skill")), strict=False):
        names, skills = (table.column(name).combine_chunks() for name in ("group", "skill"))
        assigner.add_rows(groups.numbers[start : start + table.num_rows], names, skills)

    def read_names(numbers: list[int]) -> list[str]:
        names: list[str] = (
            rows.take(groups.first_rows[numbers].tolist(), ("group",)).column("group").to_pylist()
        )
        return names

    rescued = assigner.rescue_skills(read_names)
    return assigner.splits, rescued


def find_contaminated_turns(
    order: TurnOrder, splits: SplitCodes, contaminated: Mapping[int, Problem]
) -> dict[int, Problem]:
    """Return the train rows that are in a test set of other people: all calls of a turn if any of them is."""
    is_found = np.zeros(len(splits), np.bool_)
    is_found[list(contaminated)] = True
    problems: dict[int, Problem] = {}
    for turn in sort_unique(order.turns[is_found[order.rows]]).tolist():
        calls = order.list_calls(turn)
        if splits[calls[0]] == TRAIN:
            problem = next(contaminated[call] for call in calls if call in contaminated)
            problems.update(dict.fromkeys(calls, problem))
    return problems


def _hash_pairs(pairs: RowGroups) -> Pairs:
    """Hash the texts of pairs, by their column."""
    hashed: dict[str, list[Keys]] = {}
    for table in pairs.scan(("column", "first", "second")):
        grouped: dict[str, list[tuple[str, str]]] = {}
        for column, first, second in zip(*(column.to_pylist() for column in table.columns), strict=True):
            grouped.setdefault(column, []).append((first, second))
        for column, texts in grouped.items():
            hashed.setdefault(column, []).append(hash_pairs(texts))
    return {column: np.concatenate(parts) for column, parts in hashed.items()}
