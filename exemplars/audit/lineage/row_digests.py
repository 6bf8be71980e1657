"""Every digest that a row has had on its way to training: the keys by which runs know it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from exemplars.audit.dvc_cache import locate_object
from exemplars.audit.lineage.earlier_digests import CONTENT, hash_row_as_version_1
from exemplars.audit.lineage.id_columns import strip_speech_column
from exemplars.audit.lineage.row_outcomes import SPLIT_TABLES
from exemplars.audit.lineage.row_reviews import read_edits
from exemplars.audit.lineage.tables import is_available, read_columns
from exemplars.audit.revisions import Revision, list_revisions, open_revision
from exemplars.core import layout
from exemplars.core.errors import UserError

DIGEST_TABLES: Final[tuple[Path, ...]] = (
    layout.EXEMPLARS,
    layout.CURATED,
    layout.SPEECH,
    *SPLIT_TABLES.values(),
    layout.split_speech(),
)
"""Curate gives a row a new digest if it puts in surrogates for personal data; a speech view has its own."""


def read_row_digests(revision: Revision, ids: Collection[str]) -> dict[str, set[str]]:
    """Read every digest of some exemplars: before edits of reviewers, as compiled, as curated, and of speech views.

    In version 1, too.

    Raises `UserError` if a table cannot be read; a table that no stage has written yet is skipped.
    """
    exemplar_id = strip_speech_column("id")
    frames = [
        read_columns(
            revision, path, ("id", "digest", *CONTENT), exemplar_id.is_in(list(ids)), ("speaker", "reply")
        ).with_columns(exemplar_id)
        for path in DIGEST_TABLES
        if is_available(revision, path)
    ]
    digests: dict[str, set[str]] = defaultdict(set)
    for row in pl.concat(frames).iter_rows(named=True) if frames else ():
        digests[row["id"]].update(filter(None, (row["digest"], hash_row_as_version_1(row))))
    for edit in read_edits(revision, pl.col("id").is_in(list(ids))):
        digests[edit["id"]].add(edit["before"])
    return digests


def find_digests_of_texts(root: Path, texts: Mapping[str, str]) -> set[str]:
    """Find every digest that rows ever had, in the workspace and at all revisions whose tables are in the cache.

    texts: the utterances of the rows in their source, by id. An id counts only together with the utterance: after an
    insertion the same id belongs to another row. Nothing is fetched.
    """
    digests: set[str] = set()
    for revision in _list_local_revisions(root):
        where = pl.col("id").is_in(list(texts))
        try:
            rows = read_columns(revision, layout.EXEMPLARS, ("id", "utterance"), where)
            ids = [row_id for row_id, utterance in rows.iter_rows() if texts[row_id] == utterance]
            digests.update(*read_row_digests(revision, ids).values())
        except UserError:
            continue  # Tables of another version of this project.
    return digests


def _list_local_revisions(root: Path) -> Iterator[Revision]:
    """Yield the revisions whose tables can be read without a remote; of those with the same tables, one."""
    workspace = open_revision(root)
    if is_available(workspace, layout.EXEMPLARS):
        yield workspace
    seen = set()
    for revision in list_revisions(root):
        try:
            paths = [path.as_posix() for path in DIGEST_TABLES if revision.has_output(path)]
        except UserError:
            continue  # A damaged dvc.lock: `exemplars verify --history` reports it.
        hashes = tuple(revision.outputs[path].md5 for path in paths)
        is_local = all(locate_object(root, md5).is_file() for md5 in hashes)
        if revision.has_output(layout.EXEMPLARS) and is_local and hashes not in seen:
            seen.add(hashes)
            yield revision
