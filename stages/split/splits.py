"""Exemplars, torn into splits at no group, without leaks; and what there is to tell about it."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa

from exemplars.core.digests import hash_split
from exemplars.core.records import Exemplar, Reason, Rejection
from exemplars.core.reports import count_values
from exemplars.core.tables import take_rows
from exemplars.dataset.row_tables import exemplars_from_table, rejections_to_table
from stages.split.assignment import assign
from stages.split.leaks import Row, Seen, leaked_rows
from stages.split.params import SPLITS, Official, SplitParams


class Split(NamedTuple):
    """Every exemplar is a row of one of the tables; all are sorted by id."""

    tables: dict[str, pa.Table]
    """By the name of the split."""
    rejections: pa.Table
    rescued: dict[str, str]
    """Groups moved so that a skill is in every split, with the skill."""


def split_exemplars(exemplars: pa.Table, pairs: pa.Table, params: SplitParams) -> Split:
    """Assign every group to a split, and take leaked rows out.

    pairs: the verified near duplicates (`PAIR_SCHEMA`).
    """
    groups = exemplars.column("group").to_pylist()
    skills = exemplars.column("skill").to_pylist()
    prescribed = {}
    if params.official is Official.KEEP:
        given = exemplars.column("split").to_pylist()
        prescribed = {group: name for group, name in zip(groups, given, strict=True) if name is not None}
    assignment = assign(zip(groups, skills, strict=True), prescribed, params.salt, params.ratios)
    assigned = [assignment.splits[group] for group in groups]
    rows = [
        Row(one.id, split, one.utterance, one.exemplar, one.context)
        for one, split in zip(exemplars_from_table(exemplars), assigned, strict=True)
    ]
    leaked = leaked_rows(rows, params.leaks.context_turns, _pairs_by_column(pairs))
    ids = exemplars.column("id").to_pylist()
    places = ["" if row_id in leaked else name for row_id, name in zip(ids, assigned, strict=True)]
    return Split(
        {name: take_rows(exemplars, _rows(places, name)) for name in SPLITS},
        rejections_to_table(
            [
                _leaked(one, leaked[one.id])
                for one in exemplars_from_table(take_rows(exemplars, _rows(places, "")))
            ]
        ),
        assignment.rescued,
    )


def manifest(split: Split, params: SplitParams) -> dict[str, Any]:
    """What the splits are: rows, groups and data hash of each, and how they were made."""
    return {
        "salt": params.salt,
        "official": params.official,
        "splits": {
            name: {
                "rows": table.num_rows,
                "groups": len(set(table.column("group").to_pylist())),
                "data_hash": hash_split(table.column("digest").to_pylist()),
            }
            for name, table in split.tables.items()
        },
    }


def split_report(split: Split, views: pa.Table) -> dict[str, Any]:
    """`reports/split.json`: the stage in numbers. views: the speech views that go along."""
    skills = {name: count_values(table.column("skill")) for name, table in split.tables.items()}
    everywhere = sorted(set().union(*skills.values()))
    return {
        "exemplars": sum(table.num_rows for table in split.tables.values()) + split.rejections.num_rows,
        "rows": {name: table.num_rows for name, table in split.tables.items()},
        "speech_views": count_values(views.column("split")),
        "leaked": split.rejections.num_rows,
        "leaked_by_source": count_values(split.rejections.column("source")),
        "rescued_groups": len(split.rescued),
        "skills_missing": {
            name: [skill for skill in everywhere if skill not in counts] for name, counts in skills.items()
        },
        "rows_by_skill": skills,
    }


def _pairs_by_column(pairs: pa.Table) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    columns = (pairs.column(name).to_pylist() for name in ("column", "first", "second"))
    for column, first, second in zip(*columns, strict=True):
        found.setdefault(column, []).append((first, second))
    return found


def _rows(places: list[str], name: str) -> list[int]:
    return [row for row, place in enumerate(places) if place == name]


def _leaked(exemplar: Exemplar, seen: Seen) -> Rejection:
    return Rejection(
        id=exemplar.id,
        source=exemplar.source,
        stage="split",
        reason=Reason.LEAKED,
        message=f"{exemplar.origin.path}#{exemplar.origin.locator}: found {'nearly ' if seen.nearly else ''}the "
        f"text of {seen.id}, which is in {seen.split}, expected texts of its own; nothing to change, or reword one",
        origin=exemplar.origin,
        group=exemplar.group,
        skill=exemplar.skill,
        utterance=exemplar.utterance,
    )
