"""Compiled rows under a renaming: what their content, and so their digest, becomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from exemplars.audit.renaming.edits import Rename
from exemplars.core import layout
from exemplars.core.digests import hash_row
from exemplars.core.records import Exemplar
from exemplars.core.reviews import ReviewedRow
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.row_tables import exemplars_from_table

Row = TypeVar("Row", Exemplar, ReviewedRow)


def read_compiled_rows() -> dict[str, Exemplar]:
    """Read the rows as `compile` left them, by id; none if it has not run."""
    return {row.id: row for row in _read_rows((layout.EXEMPLARS,))}


def map_digests(rename: Rename) -> dict[str, str]:
    """Map the digests of rows that a renaming changes to what they become.

    `curate` may put other texts into a row, so that both of its digests are known.
    """
    return {
        row.digest: hash_row(rename_row(row, rename))
        for row in _read_rows((layout.EXEMPLARS, layout.CURATED))
        if row.skill == rename.skill
    }


def rename_row(row: Row, rename: Rename) -> Row:
    """Rename the skill or the slots of a row; a row of a different skill stays as it is. Its digest is not computed."""
    if row.skill != rename.skill:
        return row
    skill = rename.new if rename.parameter is None else row.skill
    arguments = (
        msgspec.structs.replace(argument, slot=rename.rename_path(argument.slot))
        for argument in row.arguments
    )
    return msgspec.structs.replace(row, skill=skill, arguments=tuple(arguments))


def _read_rows(paths: Iterable[Path]) -> Iterator[Exemplar]:
    for path in paths:
        if path.exists():
            yield from exemplars_from_table(read_table(path, EXEMPLAR_SCHEMA))
