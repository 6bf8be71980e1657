"""Plan an erasure: every row, file, split, run and object that it affects."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.audit.erasure.matched_rows import ErasedRow, MatchedRows
from exemplars.audit.erasure.objects import Stores, find_needed_objects
from exemplars.audit.erasure.originals import Originals
from exemplars.audit.erasure.preference_redaction import PreferenceMatches, find_preferences
from exemplars.audit.erasure.review_redaction import ReviewMatches, find_reviews
from exemplars.audit.erasure.search import Matcher, SearchTerms, make_matcher
from exemplars.audit.erasure.source_copies import Copies
from exemplars.audit.erasure.table_reader import ShowProgress, TableReader
from exemplars.audit.erasure.tracing import build_search_terms, trace_rows
from exemplars.audit.erasure.transaction import read_log
from exemplars.audit.git_history import read_history
from exemplars.audit.lineage.row_digests import find_digests_of_texts
from exemplars.audit.revisions import WORKSPACE, Revision
from exemplars.audit.run_membership import find_runs_trained_on
from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.ids import SPLITS
from stages.ingest.params import IngestParams
from stages.ingest.tombstones import Erasures, Tombstone

SEARCHED_FOLDERS: Final = ("data", "reports", "models")
"""The folders that are searched, with those of sources and outputs, in addition to the cache and the remote."""


class HoldingObject(NamedTuple):
    """An object of the cache or the remote that holds what is to be erased."""

    md5: str
    store: str
    paths: tuple[str, ...]
    """The paths that the object has at the revisions that need it."""
    needed_by: tuple[str, ...]
    """The revisions that need it, other than the workspace."""


class Plan(NamedTuple):
    """Everything that an erasure affects."""

    tombstones: tuple[Tombstone, ...]
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
    folders: tuple[str, ...]
    """The folders of the workspace, and of sources at URLs, that were searched."""
    digests: frozenset[str]
    splits: Mapping[str, int]
    """The number of rows in each split, in the workspace and at `HEAD`."""
    runs: tuple[str, ...]
    """The runs that were trained on it."""
    unknown_runs: tuple[str, ...]
    """The runs that may have been trained on it: their rows are unavailable."""
    objects: tuple[HoldingObject, ...]
    originals: Originals
    """The outputs that have the texts which `curate` replaces or rejects."""
    patterns: tuple[str, ...]
    """The ids of the tombstones whose patterns git stores as they are written."""
    reviews: frozenset[str]
    """The ids of the decisions of reviewers that say it."""
    preferences: frozenset[int]
    """The lines of the preferences that say it, from 1."""
    history: tuple[str, ...]
    """The commits whose raw files held it; these are out of reach."""


class Remains(NamedTuple):
    """What still holds what was erased, and what was searched for it."""

    files: list[str]
    objects: list[str]
    """As `store md5`."""
    searched: dict[str, dict[str, int]]
    """For the workspace and each store: the number of tables and of other files that were read."""
    columns: list[str]
    """The columns of tables, and the fields of nested ones, whose texts were read."""


class _Decisions(NamedTuple):
    """What people said of the erased rows, and what else they said that is to be erased."""

    reviews: ReviewMatches
    preferences: PreferenceMatches

    @property
    def files(self) -> frozenset[str]:
        return self.reviews.files | self.preferences.files

    @property
    def tombstones(self) -> frozenset[str]:
        return self.reviews.tombstones | self.preferences.tombstones


def plan_erasure(
    root: Path,
    matched: MatchedRows,
    erasures: Erasures,
    params: IngestParams,
    stores: Stores,
    originals: Originals,
    show_progress: ShowProgress,
) -> Plan:
    """Search the workspace, the stores and git's history. Raises `UserError` if a store cannot be read."""
    needed, folders = find_needed_objects(root, stores), _list_folders(root, params)
    reader = TableReader(root, folders, stores, needed, show_progress)
    trace = trace_rows(matched, erasures, reader)
    terms = build_search_terms(trace, matched, _list_redacted(root, erasures), reader)
    digests = trace.identity.digests | find_digests_of_texts(root, trace.utterances)
    runs = find_runs_trained_on(root, digests)
    said = _find_decisions(root, erasures, rows := {row.id for row in matched.rows}, digests, terms)
    held = _find_files(root, folders, matched.copies, make_matcher(terms), terms)
    files, outputs = _divide_files({*held, *said.files}, params)
    objects = {*_find_objects(terms, stores, show_progress), *originals.find_objects(stores, needed)}
    return Plan(
        tombstones=erasures.tombstones,
        rows=tuple(matched.rows),
        terms=terms,
        unmatched=tuple(_list_unmatched(erasures, matched, trace.tombstones | said.tombstones)),
        whole_sources=tuple(matched.whole_sources),
        files=tuple(files),
        outputs=tuple(outputs),
        folders=tuple(sorted({*folders, *matched.copies})),
        digests=digests,
        splits=_count_in_splits(root, rows),
        runs=tuple(run.run for run in runs if run.digests),
        unknown_runs=tuple(run.run for run in runs if run.unknown),
        objects=tuple(_describe_object(store, md5, needed) for store, md5 in sorted(objects)),
        originals=originals,
        patterns=tuple(tombstone.id for tombstone in erasures.tombstones if tombstone.pattern is not None),
        reviews=said.reviews.ids,
        preferences=said.preferences.lines,
        history=_list_commits(root, sorted({row.file for row in matched.rows} | said.files)),
    )


def find_remains(root: Path, plan: Plan, copies: Copies, stores: Stores) -> Remains:
    """Find what still holds what was to be erased, in the files of the workspace, of sources at URLs and in the stores.

    copies: of the sources at URLs.
    """
    matchers = {"the workspace": make_matcher(plan.terms)}
    files = _find_files(root, plan.folders, copies, matchers["the workspace"], plan.terms)
    objects = []
    for store in stores.present:
        matcher = matchers[store.name] = make_matcher(plan.terms)
        objects += [f"{store.name} {md5}" for md5 in store.list_objects() if matcher(store.read_object(md5))]
    return Remains(
        files,
        objects,
        {
            name: {"tables": matcher.tables, "other files": matcher.documents}
            for name, matcher in matchers.items()
        },
        sorted({column for matcher in matchers.values() for column in matcher.columns}),
    )


def _list_redacted(root: Path, erasures: Erasures) -> Iterator[str]:
    """List the SHA-256 of raw files before their redaction."""
    for file in read_log(root, {tombstone.id for tombstone in erasures.tombstones}):
        yield file.sha256_before


def _find_decisions(
    root: Path, erasures: Erasures, rows: Collection[str], digests: Collection[str], terms: SearchTerms
) -> _Decisions:
    """Find what people said of the erased rows. rows: their ids. digests: of the rows."""
    return _Decisions(
        find_reviews(root, erasures, rows, make_matcher(terms)),
        find_preferences(root, erasures, digests, make_matcher(terms)),
    )


def _list_unmatched(erasures: Erasures, matched: MatchedRows, found: Collection[str]) -> Iterator[str]:
    """List the tombstones that match no row. found: those that match one in a table, a decision or a preference."""
    matching = {row.tombstone.id for row in matched.rows if row.tombstone} | {*found}
    for tombstone in erasures.tombstones:
        if tombstone.id not in matching and not tombstone.pins:
            yield tombstone.id


def _list_folders(root: Path, params: IngestParams) -> set[str]:
    """List the folders to search: the usual ones, and those of sources and outputs that are elsewhere."""
    paths = [Path(source.path) for source in params.sources.values() if not layout.is_url(source.path)]
    with contextlib.suppress(UserError):  # There is no dvc.lock yet.
        paths += [Path(path).parent for path in Revision(root, WORKSPACE, None).outputs]
    others = {path.as_posix() for path in paths if path.parts and path.parts[0] not in SEARCHED_FOLDERS}
    return {*SEARCHED_FOLDERS, *others}


def _divide_files(paths: Iterable[str], params: IngestParams) -> tuple[list[str], list[str]]:
    """Divide files into raw files and the outputs of stages."""
    folders = {"data/raw", *(layout.normalize_folder(source.path) for source in params.sources.values())}
    files: list[str] = []
    outputs: list[str] = []
    for path in sorted(paths):
        is_raw = any(path.startswith(f"{folder}/") for folder in folders)
        (files if is_raw else outputs).append(path)
    return files, outputs


def _find_objects(
    terms: SearchTerms, stores: Stores, show_progress: ShowProgress
) -> Iterator[tuple[str, str]]:
    """Find the objects that hold the terms: store and hash."""
    if terms.is_empty:
        return
    matches = make_matcher(terms)
    searched: dict[str, bool] = {}
    for store in stores.present:
        for md5 in show_progress(store.list_objects(), f"erase: {store.name}"):
            # The same hash means the same content: what both stores have is read once.
            if md5 not in searched:
                searched[md5] = matches(store.read_object(md5))
            if searched[md5]:
                yield store.name, md5


def _describe_object(
    store: str, md5: str, needed: Mapping[str, Mapping[str, Sequence[str]]]
) -> HoldingObject:
    """Describe an object. needed: by hash and revision, the paths of an object."""
    revisions = needed.get(md5, {})
    paths = tuple(sorted({path for names in revisions.values() for path in names}))
    return HoldingObject(md5, store, paths, tuple(name for name in revisions if name != WORKSPACE))


def _find_files(
    root: Path, folders: Iterable[str], copies: Copies, matches: Matcher, terms: SearchTerms
) -> list[str]:
    """Find the files of the workspace, and of sources at URLs, that hold the terms."""
    if terms.is_empty:
        return []
    own = (root / folder for folder in folders if not layout.is_url(folder))
    names = {path: path.relative_to(root).as_posix() for folder in own for path in folder.rglob("*")}
    for url, copy in copies.items():
        names |= {path: layout.join_path(url, path.relative_to(copy).as_posix()) for path in copy.rglob("*")}
    return [
        name
        for path, name in sorted(names.items())
        if path.is_file() and path != root / layout.ERASURES and matches(path.read_bytes())
    ]


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
    return tuple(read_history(root, "--all", "--format=%h", "--", *files).split())
