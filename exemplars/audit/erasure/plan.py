"""Plan an erasure: every row, file, split, run and object that it affects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.audit.erasure.objects import Stores, find_needed_objects
from exemplars.audit.erasure.search import (
    SearchTerms,
    choose_search_terms,
    is_parquet,
    list_utterances,
    make_matcher,
    parse_table,
)
from exemplars.audit.lineage.row_digests import find_digests_of_texts
from exemplars.audit.revisions import WORKSPACE, Revision, run_git
from exemplars.audit.run_membership import find_runs_trained_on
from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.ids import SPLITS
from exemplars.core.records import REDACTED
from stages.ingest.params import IngestParams, SgdSource
from stages.ingest.sources import read_source
from stages.ingest.tombstone_matching import Matches, match_rows
from stages.ingest.tombstones import Erasures, Tombstone, hash_with_key, require_key

SEARCHED_FOLDERS: Final = ("data", "reports", "models")
"""The folders that are searched, in addition to the cache and the remote."""

ShowProgress = Callable[[Sequence[str], str], Iterable[str]]
"""Shows progress through some names, with a title, as they are iterated over."""


class ErasedRow(NamedTuple):
    """A row that a tombstone matches."""

    id: str
    source: str
    file: str
    """The raw file, relative to the project's root."""
    locator: str
    tombstone: Tombstone | None
    text: str | None
    """The utterance in the raw file; `None` if it is redacted already."""


class HoldingObject(NamedTuple):
    """An object of the cache or the remote that holds what is to be erased."""

    md5: str
    store: str
    paths: tuple[str, ...]
    """The paths that the object has at the revisions that need it."""
    needed_by: tuple[str, ...]
    """The revisions that need it, other than the workspace."""
    table: bool
    """Whether erased texts can be found again in it; such objects are removed last."""


class Plan(NamedTuple):
    """Everything that an erasure affects."""

    rows: tuple[ErasedRow, ...]
    terms: SearchTerms
    unmatched: tuple[str, ...]
    """The ids of the tombstones that match no row."""
    whole_sources: tuple[tuple[str, str], ...]
    """Tombstone and source, if a tombstone matches all rows of a source."""
    files: tuple[str, ...]
    """The raw files that still hold it."""
    outputs: tuple[str, ...]
    """The outputs of stages in the workspace that still hold it."""
    digests: frozenset[str]
    splits: Mapping[str, int]
    """The number of rows in each split, in the workspace and at `HEAD`."""
    runs: tuple[str, ...]
    """The runs that were trained on it."""
    unknown_runs: tuple[str, ...]
    """The runs that may have been trained on it: their rows are unavailable."""
    objects: tuple[HoldingObject, ...]
    history: tuple[str, ...]
    """The commits whose raw files held it; these are out of reach."""


class MatchedRows(NamedTuple):
    """The rows of all sources that tombstones match, and the texts of the others."""

    rows: list[ErasedRow]
    kept: set[str]
    """The utterances and context of the rows that no tombstone matches."""
    whole_sources: list[tuple[str, str]]


def find_erased_rows(params: IngestParams, erasures: Erasures, workers: int) -> MatchedRows:
    """Read all sources, and find the rows that tombstones match. Raises `UserError` if a source is unreadable."""
    found = MatchedRows([], set(), [])
    for name, source in params.sources.items():
        tables = read_source(name, params, workers)
        both = (tables.records, tables.rejections)
        matches = match_rows(both, erasures, isinstance(source, SgdSource))
        for table in both:
            for row in table.select(["id", "utterance", "origin"]).to_pylist():
                if row["id"] in matches:
                    origin, utterance = row["origin"], row["utterance"]
                    file = (Path(source.path) / origin["path"]).as_posix()
                    text = None if utterance == REDACTED else utterance
                    tombstone = matches[row["id"]]
                    found.rows.append(ErasedRow(row["id"], name, file, origin["locator"], tombstone, text))
        found.kept.update(_list_kept_texts(tables.records, matches))
        total = sum(table.num_rows for table in both)
        counts = Counter(tombstone.id for tombstone in matches.values() if tombstone)
        found.whole_sources.extend((tombstone, name) for tombstone, count in counts.items() if count == total)
    return found


def plan_erasure(
    root: Path,
    matched: MatchedRows,
    erasures: Erasures,
    params: IngestParams,
    stores: Stores,
    show_progress: ShowProgress,
) -> Plan:
    """Search the workspace, the stores and git's history. Raises `UserError` if a store cannot be read."""
    utterances, digests = _recover_utterances(matched, erasures, stores, show_progress)
    digests |= find_digests_of_texts(root, utterances)
    runs = find_runs_trained_on(root, digests)
    terms = choose_search_terms(utterances, matched.kept)
    raw_folders = {"data/raw", *(Path(source.path).as_posix() for source in params.sources.values())}
    files: list[str] = []
    outputs: list[str] = []
    for path in _find_files(root, terms):
        is_raw = any(path.startswith(f"{folder}/") for folder in raw_folders)
        (files if is_raw else outputs).append(path)
    matching = {row.tombstone.id for row in matched.rows if row.tombstone}
    return Plan(
        rows=tuple(matched.rows),
        terms=terms,
        unmatched=tuple(tombstone.id for tombstone in erasures.tombstones if tombstone.id not in matching),
        whole_sources=tuple(matched.whole_sources),
        files=tuple(sorted(files)),
        outputs=tuple(sorted(outputs)),
        digests=frozenset(digests),
        splits=_count_in_splits(root, {row.id for row in matched.rows}),
        runs=tuple(run.run for run in runs if run.digests),
        unknown_runs=tuple(run.run for run in runs if run.unknown),
        objects=tuple(_find_objects(root, terms, stores, show_progress)),
        history=_list_commits(root, sorted({row.file for row in matched.rows})),
    )


def find_remains(root: Path, terms: SearchTerms, stores: Stores) -> tuple[list[str], list[str]]:
    """Find what still holds the terms: files of the workspace, and objects as `store md5`."""
    matches = make_matcher(terms)
    objects = [
        f"{store.name} {md5}"
        for store in stores.present
        for md5 in store.list_objects()
        if matches(store.read_object(md5))
    ]
    return _find_files(root, terms), objects


def _recover_utterances(
    matched: MatchedRows, erasures: Erasures, stores: Stores, show_progress: ShowProgress
) -> tuple[dict[str, str], set[str]]:
    """Return the utterance of each erased row by id, and the digests that the tables of the cache have for them.

    Utterances that are redacted in the raw files are found again in older tables, by their keyed hashes.
    """
    utterances = {row.id: row.text for row in matched.rows if row.text is not None}
    hashes = {
        keyed_hash: row_id
        for tombstone in erasures.tombstones
        for row_id, keyed_hash in tombstone.redacted.items()
    }
    digests: set[str] = set()
    if not matched.rows and not hashes:
        return {}, digests
    key = require_key(erasures) if hashes else b""
    known: dict[str, str] = {}  # The keyed hash of each text, since tables repeat them.
    for md5 in show_progress(stores.cache.list_objects(), "erase: the tables of the cache"):
        table = parse_table(stores.cache.read_object(md5))
        if table is None:
            continue
        for row_id, text in list_utterances(table):
            if hashes and text != REDACTED:
                keyed_hash = known.get(text) or known.setdefault(text, hash_with_key(text, key))
                if keyed_hash in hashes:
                    utterances.setdefault(row_id, text)
        if "digest" in table.column_names and "exemplar" in table.column_names:
            columns = (table.column(name).to_pylist() for name in ("id", "digest", "utterance"))
            rows = zip(*columns, strict=True)
            digests.update(digest for row_id, digest, text in rows if utterances.get(row_id) == text)
    return utterances, digests


def _find_objects(
    root: Path, terms: SearchTerms, stores: Stores, show_progress: ShowProgress
) -> list[HoldingObject]:
    """Find the objects that hold the terms."""
    if terms.is_empty:
        return []
    matches = make_matcher(terms)
    needed = find_needed_objects(root)
    searched: dict[str, tuple[bool, bool]] = {}
    objects = []
    for store in stores.present:
        for md5 in show_progress(store.list_objects(), f"erase: {store.name}"):
            if (
                md5 not in searched
            ):  # The same hash means the same content: what both stores have is read once.
                data = store.read_object(md5)
                searched[md5] = matches(data), is_parquet(data)
            is_match, table = searched[md5]
            if is_match:
                revisions = needed.get(md5, {})
                paths = tuple(sorted({path for names in revisions.values() for path in names}))
                others = tuple(revision for revision in revisions if revision != WORKSPACE)
                objects.append(HoldingObject(md5, store.name, paths, others, table))
    return objects


def _find_files(root: Path, terms: SearchTerms) -> list[str]:
    """Find the files of the workspace that hold the terms."""
    if terms.is_empty:
        return []
    matches = make_matcher(terms)
    return [
        path.relative_to(root).as_posix()
        for folder in SEARCHED_FOLDERS
        for path in sorted((root / folder).rglob("*"))
        if path.is_file() and path != root / layout.ERASURES and matches(path.read_bytes())
    ]


def _list_kept_texts(records: pa.Table, matches: Matches) -> set[str]:
    texts: set[str] = set()
    for row in records.select(["id", "utterance", "context"]).to_pylist():
        if row["id"] not in matches:
            texts.add(row["utterance"])
            texts.update(turn["utterance"] for turn in row["context"])
    return texts


def _count_in_splits(root: Path, row_ids: set[str]) -> dict[str, int]:
    """Count the rows in each split, in the workspace or at `HEAD`."""
    counts: dict[str, int] = {}
    for split in SPLITS:
        ids: set[str] = set()
        for revision in (Revision(root, WORKSPACE, None), Revision(root, "HEAD", "HEAD")):
            try:
                path = revision.locate_output(layout.split(split))
                ids.update(pq.ParquetFile(path).read(["id"]).column("id").to_pylist())
            except (UserError, OSError, pa.ArrowInvalid):
                continue  # The stage has not run, or the cache no longer has the table.
        counts[split] = len(ids & row_ids)
    return counts


def _list_commits(root: Path, files: Sequence[str]) -> tuple[str, ...]:
    """List the commits that changed one of the files."""
    if not files:
        return ()
    return tuple((run_git(root, "log", "--all", "--format=%h", "--", *files) or "").split())
