"""Exemplars as splits without leaks, with the manifest and the report."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from exemplars.core import layout
from exemplars.core.digests import hash_split
from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.ids import SPLITS
from exemplars.core.ledger import Ledger
from exemplars.core.records import Exemplar
from exemplars.core.tables import take_rows
from exemplars.core.turns import group_by_turn
from exemplars.dataset.row_tables import exemplars_from_table, rejections_to_table
from stages.split.assignment import Assignment, assign_groups
from stages.split.contamination import find_contaminated
from stages.split.foreign_texts import ForeignText
from stages.split.leaks import find_leaks
from stages.split.params import Official, SplitParams


class SplitResult(NamedTuple):
    """Every exemplar is a row of one of the tables, all of which are sorted by id."""

    tables: dict[str, pa.Table]
    """By the name of the split."""
    rejections: pa.Table
    rescued: dict[str, str]
    """Groups that were moved so that a skill is in every split, with the skill."""


def split_exemplars(
    exemplars: pa.Table,
    pairs: pa.Table,
    params: SplitParams,
    foreign: Sequence[ForeignText] = (),
    generated: Collection[str] = (),
) -> SplitResult:
    """Assign every group to a split, and reject the rows that leak.

    pairs: the verified near duplicates (`PAIR_SCHEMA`). foreign: the texts of the test sets of other people.
    generated: the sources that a model wrote, whose rows keep their split (`train`) in any case.
    Raises `UserError` if the calls of a turn are in several groups, which splits might separate.
    """
    rows = exemplars_from_table(exemplars)
    _check_turns(rows)
    splits, rescued = _assign_table(exemplars, params, generated)
    leaks = find_leaks(rows, splits, params.leaks.context_turns, _group_pairs(pairs))
    contaminated = find_contaminated(rows, splits, foreign, params.leaks.similarity)
    ledger = Ledger("split")
    kept = {row.id for row in ledger.drop(rows, contaminated | leaks)}
    numbers: dict[str, list[int]] = {name: [] for name in SPLITS}
    for number, row in enumerate(rows):
        if row.id in kept:
            numbers[splits[row.group]].append(number)
    ledger.check_conservation(len(rows), sum(map(len, numbers.values())))
    return SplitResult(
        {name: take_rows(exemplars, numbers[name]) for name in SPLITS},
        rejections_to_table(ledger.rejections),
        rescued,
    )


def _check_turns(rows: Iterable[Exemplar]) -> None:
    problems = [
        Diagnostic(
            path=layout.CURATED.as_posix(),
            code="torn_turn",
            found=f"calls of turn {turn} in the groups {summarize_names(groups)}",
            expected="one group",
            fix="give all calls of the turn one `group` in their source",
        )
        for turn, calls in group_by_turn(rows).items()
        if len(groups := sorted({call.group for call in calls})) > 1
    ]
    if problems:
        raise UserError(problems)


def build_split_manifest(result: SplitResult, params: SplitParams) -> dict[str, Any]:
    """Build `data/splits/manifest.json`: rows, groups and data hash of each split, and how it was chosen."""
    return {
        "salt": params.salt,
        "official": params.official,
        "splits": {
            name: {
                "rows": table.num_rows,
                "groups": len(set(table.column("group").to_pylist())),
                "data_hash": hash_split(table.column("digest").to_pylist()),
            }
            for name, table in result.tables.items()
        },
    }


def _assign_table(exemplars: pa.Table, params: SplitParams, generated: Collection[str]) -> Assignment:
    groups, sources, official = (exemplars.column(name).to_pylist() for name in ("group", "source", "split"))
    prescribed = {
        group: name
        for group, source, name in zip(groups, sources, official, strict=True)
        if name is not None and (params.official is Official.KEEP or source in generated)
    }
    rows = zip(groups, exemplars.column("skill").to_pylist(), strict=True)
    return assign_groups(rows, prescribed, params.salt, params.ratios)


def _group_pairs(pairs: pa.Table) -> dict[str, list[tuple[str, str]]]:
    """Group the pairs of texts by their column."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    columns = (pairs.column(name).to_pylist() for name in ("column", "first", "second"))
    for column, first, second in zip(*columns, strict=True):
        grouped.setdefault(column, []).append((first, second))
    return grouped
