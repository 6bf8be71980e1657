"""Rows that wait for approval, and would leak if they were approved: they are too near to a row of validation or test.

The rows are compared by the functions of `curate` and `split`, so that a person reads before a decision what these
stages would say after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from exemplars.core import layout
from exemplars.core.ids import SplitName
from exemplars.core.ledger import Problem
from exemplars.core.params import is_generated, load_section, read_source_settings
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.row_tables import exemplars_from_table
from stages.curate.params import CurateParams
from stages.curate.steps.near_duplicates import find_text_pairs
from stages.split.contamination import COLUMN_NAMES
from stages.split.inputs import read_foreign_texts
from stages.split.params import SplitParams
from stages.split.row_checks import find_contaminated_rows, find_leaking_rows

_CHUNK: Final = 1024
"""Held-out rows that are compared at a time, so that memory does not grow with their number."""
_HELD_OUT: Final[tuple[SplitName, ...]] = ("test", "validation")


def find_expected_leaks(rows: Sequence[Exemplar]) -> dict[str, Problem]:
    """Find the rows that `split` would reject as leaked if they were approved; return the problem of each, by id.

    rows: that wait for approval. Those of sources that no model wrote are never found: they may join the split of
    what they are near to. Raises `UserError` if a split, a foreign test set or a section of `params.yaml` is damaged.
    """
    generated = {name for name, source in read_source_settings().items() if is_generated(source)}
    waiting = [row for row in rows if row.source in generated]
    if not waiting:
        return {}
    duplicates = load_section("curate", CurateParams).duplicates
    leaks = load_section("split", SplitParams).leaks
    in_train: dict[str, SplitName] = {row.group: "train" for row in waiting}
    found: dict[str, Problem] = {}
    for name, held_out in _read_held_out():
        compared = sorted([*waiting, *held_out], key=lambda row: row.id)
        splits = {row.group: name for row in held_out} | in_train
        text_pairs = find_text_pairs(compared, duplicates)
        pairs = {
            column: [(pair.first, pair.second) for pair in text_pairs if pair.column == column]
            for column in COLUMN_NAMES
        }
        found = find_leaking_rows(compared, splits, leaks.context_turns, pairs) | found
    foreign = read_foreign_texts(layout.AGAINST, leaks.against)
    return find_contaminated_rows(waiting, in_train, foreign, leaks.similarity) | found


def _read_held_out() -> Iterator[tuple[SplitName, list[Exemplar]]]:
    """Yield the rows of test and validation in chunks; nothing of a split that is not written yet."""
    for name in _HELD_OUT:
        path = layout.split(name)
        table = read_table(path, EXEMPLAR_SCHEMA) if path.exists() else EXEMPLAR_SCHEMA.empty_table()
        for start in range(0, table.num_rows, _CHUNK):
            yield name, exemplars_from_table(table.slice(start, _CHUNK))
