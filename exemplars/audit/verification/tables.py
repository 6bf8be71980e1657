"""The tables of the chain: which record type each one has, and the columns that link them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from exemplars.audit.dvc_cache import Output
from exemplars.audit.verification.checks import build_diagnostic
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ids import SPLITS
from exemplars.core.records import Exemplar, Record, Rejection, Template
from exemplars.core.schemas import derive_schema
from exemplars.core.tables import read_table
from exemplars.models.preference_rows import PreferenceRow
from exemplars.models.rows import Prediction, TrainingRow

_KEY_COLUMNS: Final = frozenset(
    {"id", "exemplar_ids", "digest", "digests", "source", "group", "origin", "skill", "mode", "split", "view"}
    | {"slot", "reason", "condition", "system", "speech"}
)
"""The small columns, which link tables to each other."""
_REQUIRED: Final = ("id", "exemplar_ids", "digest", "digests", "source", "group", "origin")
"""The columns in which every row has a value."""
_RECORD_TYPES: Final[dict[Path, type[msgspec.Struct]]] = {
    **dict.fromkeys((layout.EXEMPLARS, layout.CURATED, layout.SPEECH, layout.split_speech()), Exemplar),
    **dict.fromkeys(map(layout.split, SPLITS), Exemplar),
    **dict.fromkeys(map(layout.training, SPLITS), TrainingRow),
    **dict.fromkeys(
        map(layout.ledger_path, (layout.EXEMPLARS, layout.CURATED, layout.MANIFEST, layout.TRAINING_BASE)),
        Rejection,
    ),
    **dict.fromkeys(map(layout.preferences, ("train", "validation")), PreferenceRow),
    layout.PREFERENCE_REJECTIONS: Rejection,
    layout.TEMPLATES: Template,
    layout.PREDICTIONS: Prediction,
}


def find_record_type(path: Path) -> type[msgspec.Struct] | None:
    """Find the record type of a table whose rows have ids; `None` for any other path.

    >>> find_record_type(Path("data/splits/test.parquet")).__name__
    'Exemplar'
    """
    if path.parent == layout.RECORDS and path.suffix == ".parquet":
        return Rejection if path.name.endswith(".rejections.parquet") else Record
    return _RECORD_TYPES.get(path)


class Tables:
    """The tables that the stages of a `dvc.lock` wrote; each is read once, and each problem reported once."""

    def __init__(self, files: Path, outputs: Iterable[Output], changed: Collection[str]) -> None:
        """files: the folder that holds them. changed: those that differ from `dvc.lock`; they may be damaged."""
        self.files = files
        self.paths = [path for out in outputs if find_record_type(path := Path(out.path)) is not None]
        self.problems: list[Diagnostic] = []
        self._changed = changed
        self._keys: dict[Path, pa.Table | None] = {}

    def read_keys(self, path: Path) -> pa.Table | None:
        """Read the key columns of a table; `None` if it is not in the lock, or is unreadable."""
        if path not in self._keys:
            self._keys[path] = self._read(path) if path in self.paths else None
        return self._keys[path]

    def read_all_keys(self) -> dict[Path, pa.Table]:
        """Read the key columns of all readable tables."""
        return {path: table for path in self.paths if (table := self.read_keys(path)) is not None}

    def read_ids(self, path: Path, column: str = "id") -> list[str] | None:
        """Read a column of ids; `None` if the table is unreadable."""
        table = self.read_keys(path)
        return None if table is None else table.column(column).to_pylist()

    def read_listed(self, path: Path, column: str) -> list[str] | None:
        """Read a column of texts, or the texts of a column of lists; `None` if the table is unreadable."""
        values = self.read_ids(path, column)
        if values is None:
            return None
        return [text for value in values for text in ([value] if isinstance(value, str) else value)]

    def read_whole(self, path: Path) -> pa.Table:
        """Read all columns of a table. Raises `UserError` if it is unreadable."""
        return read_table(self.files / path, _derive_schema(path))

    def _read(self, path: Path) -> pa.Table | None:
        try:
            if path.as_posix() in self._changed:
                # In a damaged file, a list may end before it begins.
                self.read_whole(path).validate(full=True)
            schema = _derive_schema(path)
            table = read_table(
                self.files / path, schema, [name for name in schema.names if name in _KEY_COLUMNS]
            )
            table.validate(full=True)
            _check_required(table)
        except UserError as error:
            found = error.diagnostics[0].found
        except (pa.ArrowException, MemoryError, ValueError) as error:
            found = str(error)
        else:
            return table
        if (self.files / path).exists():  # `check_files` reports a missing file.
            sentence = " ".join(found.split())[:160] or "damaged bytes"
            fix = f"run `dvc checkout -f {path.as_posix()}`, or `dvc repro`"
            self.problems.append(
                build_diagnostic(path.as_posix(), "unreadable_table", sentence, "a readable table", fix)
            )
        return None


def _derive_schema(path: Path) -> pa.Schema:
    record_type = find_record_type(path)
    assert record_type is not None
    return derive_schema(record_type)


def _check_required(table: pa.Table) -> None:
    """Raise `ValueError` for the first required column in which a value is missing."""
    for name in _REQUIRED:
        if name in table.column_names:
            column = table.column(name)
            whole = column.combine_chunks()
            parts = [column, *(whole.flatten() if pa.types.is_struct(whole.type) else ())]
            parts += [pc.list_flatten(whole)] if pa.types.is_list(whole.type) else []
            if any(part.null_count for part in parts):
                raise ValueError(f"missing values in the column {name}")
