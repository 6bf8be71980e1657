"""The tables of the chain: which they are, and the columns that hold them together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa

from exemplars.audit.revisions import Output
from exemplars.audit.verification.checks import problem
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.schemas import EXEMPLAR_SCHEMA, RECORD_SCHEMA, REJECTION_SCHEMA
from exemplars.core.tables import read_table
from exemplars.models.rows import PREDICTION_SCHEMA, TRAINING_SCHEMA

SPLITS: Final = ("train", "validation", "test")
_NARROW: Final = frozenset(
    {"id", "exemplar_id", "digest", "source", "group", "origin", "skill", "mode", "split", "view", "slot"}
    | {"reason", "system", "speech"}
)
"""The columns that are small, and tie tables to each other."""
_FILLED: Final = ("id", "exemplar_id", "digest", "source", "group", "origin")
"""Columns of which each row has a value."""
_EXEMPLARS: Final = (
    layout.EXEMPLARS,
    layout.CURATED,
    layout.SPEECH,
    *map(layout.split, SPLITS),
    layout.split_speech(),
)
_LEDGERS: Final = tuple(
    map(layout.ledger_path, (layout.EXEMPLARS, layout.CURATED, layout.MANIFEST, layout.TRAINING_BASE))
)


def schema_of(path: Path) -> pa.Schema | None:
    """The schema of a table with ids of rows; null where the path is none."""
    if path in _EXEMPLARS:
        return EXEMPLAR_SCHEMA
    if path in _LEDGERS:
        return REJECTION_SCHEMA
    if path in map(layout.training, SPLITS):
        return TRAINING_SCHEMA
    if path == layout.PREDICTIONS:
        return PREDICTION_SCHEMA
    if path.parent == layout.RECORDS and path.suffix == ".parquet":
        return REJECTION_SCHEMA if path.name.endswith(".rejections.parquet") else RECORD_SCHEMA
    return None


class Tables:
    """The tables that the stages of a lock wrote, each read once; what cannot be read is told once."""

    def __init__(self, files: Path, outputs: Iterable[Output], changed: Collection[str]) -> None:
        """files: where they lie. changed: those that are not the lock's, which may hold anything."""
        self.files = files
        self.paths = [path for out in outputs if schema_of(path := Path(out.path)) is not None]
        self.problems: list[Diagnostic] = []
        self._changed = changed
        self._narrow: dict[Path, pa.Table | None] = {}

    def narrow(self, path: Path) -> pa.Table | None:
        """The small columns of a table; null where it is none of the lock's, or cannot be read."""
        if path not in self._narrow:
            self._narrow[path] = self._read(path) if path in self.paths else None
        return self._narrow[path]

    def all(self) -> dict[Path, pa.Table]:
        """The small columns of all tables that can be read."""
        return {path: table for path in self.paths if (table := self.narrow(path)) is not None}

    def ids(self, path: Path, column: str = "id") -> list[str] | None:
        """The ids of a table's rows; null where it cannot be read."""
        table = self.narrow(path)
        return None if table is None else table.column(column).to_pylist()

    def whole(self, path: Path) -> pa.Table:
        """All columns of a table that can be read."""
        return read_table(self.files / path, schema_of(path))

    def _read(self, path: Path) -> pa.Table | None:
        schema = schema_of(path)
        assert schema is not None
        try:
            if path.as_posix() in self._changed:
                # Another byte may stand for a list that ends before it begins.
                self.whole(path).validate(full=True)
            names = [name for name in schema.names if name in _NARROW]
            table = read_table(self.files / path, schema, names)
            table.validate(full=True)
            _check_filled(table)
        except UserError as error:
            found = error.diagnostics[0].found
        except (pa.ArrowException, MemoryError, ValueError) as error:
            found = str(error)
        else:
            return table
        if (self.files / path).exists():  # A missing file is named by its hash.
            sentence = " ".join(found.split())[:160] or "damaged bytes"
            fix = f"`dvc checkout -f {path.as_posix()}`, or `dvc repro`"
            self.problems.append(problem(path.as_posix(), "unreadable_table", sentence, "a table", fix))
        return None


def _check_filled(table: pa.Table) -> None:
    """Raise `ValueError` for the first column that lacks a value that every row has."""
    for name in _FILLED:
        if name in table.column_names:
            column = table.column(name)
            parts = [column, *(column.combine_chunks().flatten() if name == "origin" else ())]
            if any(part.null_count for part in parts):
                raise ValueError(f"rows without a value in the column {name}")
