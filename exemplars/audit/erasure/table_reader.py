"""Read the tables of the workspace and of the stores, for the search of erased rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from exemplars.audit.erasure.objects import Stores
from exemplars.audit.erasure.search import (
    parse_table,
)
from exemplars.core import layout

ShowProgress = Callable[[Sequence[str], str], Iterable[str]]
"""Shows progress through some names, with a title, as they are iterated over."""
SOURCE_TABLES: Final = (
    layout.EXEMPLARS.as_posix(),
    layout.TEMPLATES.as_posix(),
    f"{layout.RECORDS.as_posix()}/",
)
"""Where the tables with the authors' own texts are; later stages may replace texts."""


class TableSource(NamedTuple):
    """Where a table is, and how to read some of its columns."""

    read: Callable[[Collection[str]], pa.Table | None]
    is_source: bool
    """Whether it has the authors' own texts."""


class TableReader:
    """Reads the tables of the workspace and the stores, each content once per pass."""

    def __init__(
        self,
        root: Path,
        folders: Collection[str],
        stores: Stores,
        needed: Mapping[str, Mapping[str, Collection[str]]],
        show_progress: ShowProgress,
    ) -> None:
        """folders: of the workspace. needed: by hash and revision, the paths of an object."""
        self._root = root
        self._folders = sorted(folders)
        self._stores = stores
        self._needed = needed
        self._show_progress = show_progress
        self._others: set[str] = set()
        """Objects that are no tables: they are read in the first pass only."""

    def read_current(self) -> Iterator[TableSource]:
        """Yield the tables of the workspace."""
        for folder in self._folders:
            for path in sorted((self._root / folder).rglob("*.parquet")):
                name = path.relative_to(self._root).as_posix()
                yield TableSource(_make_file_reader(path), name.startswith(SOURCE_TABLES))

    def read(self, title: str) -> Iterator[TableSource]:
        """Yield all tables: those of the workspace, then those of the stores."""
        yield from self.read_current()
        for store, md5 in self._list_objects(title):
            data = store.read_object(md5)
            if parse_table(data, ()) is None:
                self._others.add(md5)
                continue
            paths = [path for revision in self._needed.get(md5, {}).values() for path in revision]
            yield TableSource(_make_bytes_reader(data), any(path.startswith(SOURCE_TABLES) for path in paths))

    def read_documents(self, title: str) -> Iterator[bytes]:
        """Yield all objects that are no tables; after a pass of `read`."""
        unread = set(self._others)
        for store in self._stores.present:
            for md5 in self._show_progress(store.list_objects(), f"erase: {title} in {store.name}"):
                if md5 in unread:
                    unread.discard(md5)
                    yield store.read_object(md5)

    def _list_objects(self, title: str) -> Iterator[tuple[Any, str]]:
        seen = set(self._others)
        for store in self._stores.present:
            for md5 in self._show_progress(store.list_objects(), f"erase: {title} in {store.name}"):
                if md5 not in seen:
                    seen.add(md5)
                    yield store, md5


def _make_file_reader(path: Path) -> Callable[[Collection[str]], pa.Table | None]:
    return lambda columns: parse_table(path.read_bytes(), columns)


def _make_bytes_reader(data: bytes) -> Callable[[Collection[str]], pa.Table | None]:
    return lambda columns: parse_table(data, columns)
