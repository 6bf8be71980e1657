"""The sources of a revision, and the proof that a row's line stands in its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

import msgspec
import yaml

from exemplars.audit.revisions import LOCK, Revision, cached_object, folder_entries, git, git_bytes
from exemplars.core.digests import hash_content
from exemplars.core.params import PATH as PARAMS

_MOST_COMMITS: Final = 200
"""So many versions of a file are looked at for the one that a row came from."""
_LONGEST: Final = 300


class Source(NamedTuple):
    """What `params.yaml` says of a source."""

    name: str
    folder: str
    """Relative to the project's root, with `/`."""
    format: str
    license: str


def sources_of(revision: Revision) -> dict[str, Source]:
    """The sources that the revision's `params.yaml` names; none where it has no readable one."""
    try:
        declared = yaml.safe_load(revision.file(str(PARAMS)) or b"")["ingest"]["sources"]
        return {
            name: Source(name, str(PurePosixPath(one["path"])), one["format"], one["license"])
            for name, one in declared.items()
        }
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        return {}


class Evidence(NamedTuple):
    """What a row's file says, and whether it is the file that the row came from."""

    path: str
    locator: str
    sha256: str
    """The content hash of the file when the row was made of it."""
    state: str
    """`same`: the file's content hash is that one; `changed`: it is another; `missing`: no file."""
    sha256_now: str | None
    commit: str | None
    """The git commit that brought the version of the file that the row was made of."""
    dvc_md5: str | None
    """DVC's hash of the file, or of the folder that holds it, where git does not have the file."""
    text: str | None
    """The line, or the JSON value, of that version; null where that version is not to be had."""


def evidence_of(revision: Revision, source: Source | None, origin: Mapping[str, str]) -> Evidence:
    """The proof of a row's origin. source: null where the revision no longer declares it."""
    path = f"{source.folder}/{origin['path']}" if source else origin["path"]
    md5 = None
    data = revision.file(path)
    commit, version = _committed(revision, path, origin["sha256"])
    if commit is None and source is not None:
        md5, kept = _by_dvc(revision, source, origin["path"])
        data = kept if data is None else data
    now = None if data is None else hash_content(data)
    state = "missing" if now is None else "same" if now == origin["sha256"] else "changed"
    shown = data if state == "same" else version
    return Evidence(
        path,
        origin["locator"],
        origin["sha256"],
        state,
        now,
        commit,
        md5,
        None if shown is None else text_at(shown, origin["locator"]),
    )


def text_at(data: bytes, locator: str) -> str | None:
    """The line (from 1), or the JSON value, that a locator names, cut to a readable length.

    Of a pointer that goes further than the value does, as those of expanded templates do, the last
    value on its way. Null where there is nothing, or nothing that can be read.
    """
    if locator.isdecimal():
        lines = data.decode("utf-8-sig", "replace").splitlines()
        number = int(locator)
        return _cut(lines[number - 1]) if 0 < number <= len(lines) else None
    if not locator.startswith("/"):
        return None
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    for key in locator[1:].split("/"):
        name = key.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            break
    return _cut(msgspec.json.encode(value).decode())


def files_below(revision: Revision, folder: str) -> Iterator[tuple[str, bytes]]:
    """The files of a folder that git tracks, or that lie in the workspace, with their bytes, by name."""
    if revision.commit is None:
        found = [one for one in (revision.root / folder).rglob("*") if one.is_file()]
        names = [one.relative_to(revision.root).as_posix() for one in found]
    else:
        listed = git(revision.root, "ls-tree", "-r", "-z", "--name-only", revision.commit, "--", folder)
        names = [name for name in (listed or "").split("\0") if name]
    for name in sorted(names):
        if (data := revision.file(name)) is not None:
            yield name, data


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _committed(revision: Revision, path: str, sha256: str) -> tuple[str | None, bytes | None]:
    """The newest commit up to the revision that brought the file with this content hash, and its bytes."""
    start = revision.commit or "HEAD"
    most = f"--max-count={_MOST_COMMITS}"
    log = git(revision.root, "log", most, "--format=%H", start, "--", path) or ""
    for commit in log.split():
        data = git_bytes(revision.root, "show", f"{commit}:{path}")
        if data is not None and hash_content(data) == sha256:
            return commit, data
    return None, None


def _by_dvc(revision: Revision, source: Source, path: str) -> tuple[str | None, bytes | None]:
    """DVC's hash of a source's file, of its folder where that is all there is; the bytes in the cache."""
    if revision.file(LOCK) is None:
        return None, None
    stage = revision.stages.get(f"ingest@{source.name}")
    for dep in stage.deps if stage else ():
        if dep.path != source.folder:
            continue
        listing = cached_object(revision.root, dep.md5)
        entries: list[Any] = folder_entries(listing) if dep.is_folder and listing.is_file() else []
        md5 = next((one.md5 for one in entries if one.path == path), dep.md5)
        place = Path() if md5 == dep.md5 else cached_object(revision.root, md5)
        return md5, place.read_bytes() if place.is_file() else None
    return None, None
