"""The tables that still have the texts which `curate` replaces or rejects as personal data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from exemplars.audit.erasure.objects import Stores
from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.params import load_section
from stages.curate.params import CurateParams, OnOriginals, PrivacyMode
from stages.ingest.params import IngestParams


class Originals(NamedTuple):
    """The outputs of the stages before `curate`, if it replaces or rejects personal data."""

    paths: tuple[str, ...] = ()
    are_purged: bool = False
    """Whether `curate.privacy.originals` is `purge`."""

    def find_objects(
        self, stores: Stores, needed: Mapping[str, Mapping[str, Sequence[str]]]
    ) -> list[tuple[str, str]]:
        """Find the objects of these outputs, of all revisions: store and hash. needed: by hash and revision, paths."""
        if not self.are_purged:
            return []
        hashes = {
            md5
            for md5, revisions in needed.items()
            if any(path in self.paths for paths in revisions.values() for path in paths)
        }
        return [
            (store.name, md5) for store in stores.present for md5 in store.list_objects() if md5 in hashes
        ]


def find_originals(ingest: IngestParams) -> Originals:
    """Find the outputs with originals. Raises `UserError` if the section `curate` of `params.yaml` is invalid."""
    try:
        privacy = load_section("curate", CurateParams).privacy
    except UserError as error:
        if {diagnostic.code for diagnostic in error.diagnostics} == {"missing_section"}:
            return Originals()  # A pipeline without this stage.
        raise
    if privacy.mode is PrivacyMode.REPORT:
        return Originals()
    paths = [*layout.COMPILED, layout.EDITS]
    for name in ingest.sources:
        paths += [layout.records(name), layout.record_rejections(name)]
    return Originals(tuple(sorted(path.as_posix() for path in paths)), privacy.originals is OnOriginals.PURGE)


def remove_originals(root: Path, originals: Originals) -> list[str]:
    """Remove the outputs from the workspace, if they are to be purged, and return their paths."""
    paths = [path for path in originals.paths if originals.are_purged and (root / path).exists()]
    for path in paths:
        (root / path).unlink()
    return paths
