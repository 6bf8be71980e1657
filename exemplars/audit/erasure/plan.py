"""What an erasure means: every row, file, split, run and object that it touches."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.audit.erasure.objects import Store, needs
from exemplars.audit.erasure.search import Wanted, finder, said_rows, wanted_of
from exemplars.audit.revisions import WORKSPACE, Revision, git
from exemplars.audit.run_history import find_runs
from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.records import REDACTED
from stages.ingest.params import IngestParams, SgdSource
from stages.ingest.sources import read_source
from stages.ingest.tombstones import Erasures, Tombstone, keyed_hash, matched_rows, needed_key

PRODUCED = ("data", "reports", "models")
"""The folders that are searched, beside the cache and the remote."""


class ErasedRow(NamedTuple):
    """A row that a tombstone means."""

    id: str
    source: str
    file: str
    """The raw file, relative to the project's root."""
    locator: str
    tombstone: Tombstone | None
    text: str | None
    """What it says in the raw file; null where that is gone."""


class Object(NamedTuple):
    """An object of the cache or of the remote that holds what is to be erased."""

    md5: str
    store: str
    paths: tuple[str, ...]
    """What it is, where a revision names it."""
    needed_by: tuple[str, ...]
    """The revisions that need it, beside the workspace."""
    table: bool
    """Whether erased texts can be found again from it: such objects go last."""


class Plan(NamedTuple):
    """Everything that an erasure touches."""

    rows: tuple[ErasedRow, ...]
    wanted: Wanted
    unmatched: tuple[str, ...]
    """The tombstones that mean nothing here."""
    whole_sources: tuple[tuple[str, str], ...]
    """Tombstone and source, where it means all rows of the source."""
    files: tuple[str, ...]
    """The raw files that hold it still."""
    outputs: tuple[str, ...]
    """Files of the workspace, made by stages, that hold it still."""
    digests: frozenset[str]
    splits: Mapping[str, int]
    """The rows in each split, as the workspace and older tables have them."""
    runs: tuple[str, ...]
    """The runs that were trained on it."""
    objects: tuple[Object, ...]
    history: tuple[str, ...]
    """The commits whose raw files held it; nothing here can change those."""


class Found(NamedTuple):
    """The rows of all sources that tombstones mean, and what the others say."""

    rows: list[ErasedRow]
    kept: set[str]
    whole_sources: list[tuple[str, str]]


def find_rows(params: IngestParams, erasures: Erasures, workers: int) -> Found:
    """Read all sources. Raises `UserError` with all that cannot be read."""
    found = Found([], set(), [])
    for name, source in params.sources.items():
        tables = read_source(name, params, workers)
        both = (tables.records, tables.rejections)
        matched = matched_rows(both, erasures, isinstance(source, SgdSource))
        for table in both:
            columns = table.select(["id", "utterance", "origin"]).to_pylist()
            for row in columns:
                if row["id"] in matched:
                    place = row["origin"]
                    file = (Path(source.path) / place["path"]).as_posix()
                    said = None if row["utterance"] == REDACTED else row["utterance"]
                    found.rows.append(
                        ErasedRow(row["id"], name, file, place["locator"], matched[row["id"]], said)
                    )
        found.kept.update(_kept_texts(tables.records, matched))
        total = sum(table.num_rows for table in both)
        by = Counter(one.id for one in matched.values() if one)
        found.whole_sources.extend((one, name) for one, count in by.items() if count == total)
    return found


def plan_of(
    root: Path,
    found: Found,
    erasures: Erasures,
    params: IngestParams,
    cache: Store,
    remote: Store | None,
    progress: Callable[[Sequence[str], str], Iterable[str]],
) -> Plan:
    """Look everywhere. progress: shows what is gone through. Raises `UserError` where a store does not answer."""
    said, digests = _said(root, found, erasures, cache, progress)
    wanted = wanted_of(said, found.kept)
    holds = finder(wanted)
    raw = {"data/raw", *(Path(one.path).as_posix() for one in params.sources.values())}
    files: list[str] = []
    outputs: list[str] = []
    for path in _files(root):
        if not wanted.nothing and holds((root / path).read_bytes()):
            (files if any(path.startswith(f"{one}/") for one in raw) else outputs).append(path)
    objects = [] if wanted.nothing else _objects(root, holds, cache, remote, progress)
    named = {one.tombstone.id for one in found.rows if one.tombstone}
    return Plan(
        rows=tuple(found.rows),
        wanted=wanted,
        unmatched=tuple(one.id for one in erasures.tombstones if one.id not in named),
        whole_sources=tuple(found.whole_sources),
        files=tuple(sorted(files)),
        outputs=tuple(sorted(outputs)),
        digests=frozenset(digests.values()),
        splits=_splits(root, {one.id for one in found.rows}),
        runs=_runs(root, frozenset(digests.values())),
        objects=tuple(objects),
        history=_history(root, sorted({one.file for one in found.rows})),
    )


def remaining(root: Path, wanted: Wanted, cache: Store, remote: Store | None) -> tuple[list[str], list[str]]:
    """What holds it still: files of the workspace, and objects as `store md5`."""
    holds = finder(wanted)
    files = [path for path in _files(root) if holds((root / path).read_bytes())]
    objects = [
        f"{store.name} {md5}"
        for store in (cache, remote)
        if store is not None
        for md5 in store.objects()
        if holds(store.read(md5))
    ]
    return files, objects


def _said(
    root: Path,
    found: Found,
    erasures: Erasures,
    cache: Store,
    progress: Callable[[Sequence[str], str], Iterable[str]],
) -> tuple[dict[str, str], dict[str, str]]:
    """What each erased row said, and its digest, by id.

    What is gone from the raw files is known again from older tables, by its keyed hash.
    """
    said = {one.id: one.text for one in found.rows if one.text is not None}
    names = {one.id for one in found.rows}
    hashes = {one: name for tombstone in erasures.tombstones for name, one in tombstone.redacted.items()}
    known: dict[str, str] = {}
    digests: dict[str, str] = {}
    if not names and not hashes:
        return {}, {}
    key = needed_key(erasures) if hashes else b""
    for md5 in progress(cache.objects(), "erase: the tables of the cache"):
        table = table_of(cache.read(md5))
        if table is None:
            continue
        for name, text in said_rows(table):
            if hashes and text != REDACTED:
                mark = known.get(text) or known.setdefault(text, keyed_hash(text, key))
                if mark in hashes:
                    said.setdefault(name, text)
        if "digest" in table.column_names and "exemplar" in table.column_names:
            rows = zip(*(table.column(one).to_pylist() for one in ("id", "digest", "utterance")), strict=True)
            digests.update({name: digest for name, digest, text in rows if said.get(name) == text})
    return said, digests


def table_of(data: bytes) -> pa.Table | None:
    """The table that an object is; null where it is none."""
    if data[:4] != b"PAR1":
        return None
    try:
        return pq.ParquetFile(io.BytesIO(data)).read()
    except (pa.ArrowInvalid, OSError):
        return None


def _objects(
    root: Path,
    holds: Callable[[bytes], bool],
    cache: Store,
    remote: Store | None,
    progress: Callable[[Sequence[str], str], Iterable[str]],
) -> list[Object]:
    needed = needs(root)
    judged: dict[str, tuple[bool, bool]] = {}
    objects = []
    for store in (cache, remote):
        if store is None:
            continue
        for md5 in progress(store.objects(), f"erase: {store.name}"):
            if md5 not in judged:  # The same hash is the same content: what the cache has is read once.
                data = store.read(md5)
                judged[md5] = holds(data), data[:4] == b"PAR1"
            hit, table = judged[md5]
            if hit:
                by = needed.get(md5, {})
                paths = tuple(sorted({path for some in by.values() for path in some}))
                others = tuple(one for one in by if one != WORKSPACE)
                objects.append(Object(md5, store.name, paths, others, table))
    return objects


def _files(root: Path) -> list[str]:
    return [
        path.relative_to(root).as_posix()
        for folder in PRODUCED
        for path in sorted((root / folder).rglob("*"))
        if path.is_file() and path != root / layout.ERASURES
    ]


def _kept_texts(records: pa.Table, matched: Mapping[str, Any]) -> set[str]:
    texts: set[str] = set()
    for row in records.select(["id", "utterance", "context"]).to_pylist():
        if row["id"] not in matched:
            texts.add(row["utterance"])
            texts.update(turn["utterance"] for turn in row["context"])
    return texts


def _splits(root: Path, names: set[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for split in ("train", "validation", "test"):
        ids: set[str] = set()
        for revision in (Revision(root, WORKSPACE, None), Revision(root, "HEAD", "HEAD")):
            try:
                path = revision.output(layout.split(split))
                ids.update(pq.ParquetFile(path).read(["id"]).column("id").to_pylist())
            except (UserError, OSError, pa.ArrowInvalid):
                continue  # Not made yet, or not in the cache any more.
        counts[split] = len(ids & names)
    return counts


def _runs(root: Path, digests: frozenset[str]) -> tuple[str, ...]:
    """The runs of the workspace and of history whose rows have a digest."""
    found = []
    for one in find_runs(root):
        name = Path(layout.MODELS / one.manifest.recipe / "rows.txt")
        revision = Revision(root, one.where, None if one.where == WORKSPACE else one.where)
        try:
            rows = set(revision.output(name).read_text("ascii").split())
        except (UserError, OSError):
            continue  # The cache does not have it any more; the receipt says that runs may be unknown.
        if rows & digests:
            found.append(one.manifest.run)
    return tuple(found)


def _history(root: Path, files: Sequence[str]) -> tuple[str, ...]:
    if not files:
        return ()
    return tuple((git(root, "log", "--all", "--format=%h", "--", *files) or "").split())
