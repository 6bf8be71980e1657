"""Dir manifests: which files a folder held when its stage ran, with their hashes.

`dvc.lock` has one hash for a whole folder. To say which of its files changed, the manifest with that hash
is read from DVC's cache, or rebuilt from git.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from pathspec import GitIgnoreSpec

from exemplars.audit.dvc_cache import Output, fetch_objects, locate_object, read_dir_manifest
from exemplars.audit.git_history import find_last_change, run_git, run_git_bytes
from exemplars.audit.revisions import LOCK, Revision
from exemplars.audit.verification.hashes import hash_dir_manifest, hash_md5


def reconstruct_dir_manifest(
    revision: Revision, folder: Output, current: Mapping[str, str], ignored: GitIgnoreSpec
) -> dict[str, str] | None:
    """Reconstruct the list of files that a folder of `dvc.lock` held, with their hashes.

    The manifest comes from DVC's cache, or is assembled from git's objects, the outputs in the folder and the
    current files. It is returned only if it has the hash that `dvc.lock` recorded; otherwise `None`.

    current: the folder's files as they are now.
    """
    cached = _read_cached(revision.root, folder.md5)
    for entries in chain([cached], _guess(revision, folder, current, ignored)):
        if hash_dir_manifest(entries) == folder.md5:
            return entries
    return None


def _read_cached(root: Path, md5: str) -> dict[str, str]:
    path = locate_object(root, md5)
    if not path.is_file():
        return {}
    try:
        return {entry.path: entry.md5 for entry in read_dir_manifest(path)}
    except (ValueError, KeyError, TypeError):
        return {}


def _guess(
    revision: Revision, folder: Output, current: Mapping[str, str], ignored: GitIgnoreSpec
) -> Iterator[dict[str, str]]:
    """Assemble the possible manifests of a folder."""
    prefix = f"{folder.path}/"
    outputs: dict[str, str] = {}
    for output in revision.outputs.values():
        if output.path.startswith(prefix):
            name = output.path.removeprefix(prefix)
            inside = _read_cached(revision.root, output.md5) if output.is_folder else {"": output.md5}
            outputs |= {f"{name}/{path}".rstrip("/"): md5 for path, md5 in inside.items()}
    for tracked in _hash_tracked(revision, folder.path):
        known = {
            path: md5 for path, md5 in {**tracked, **outputs}.items() if not ignored.match_file(prefix + path)
        }
        yield known
        yield {**current, **known}


def _hash_tracked(revision: Revision, folder: str) -> Iterator[dict[str, str]]:
    """Hash what git has of a folder at the revision's commit.

    For the workspace: at `HEAD`, then at the last commit that changed `dvc.lock`.
    """
    if revision.commit is not None:
        yield hash_git_folder(revision.root, revision.commit, folder)
        return
    yield hash_git_folder(revision.root, "HEAD", folder)
    commit = find_last_change(revision.root, LOCK)
    if commit is not None:
        yield hash_git_folder(revision.root, commit, folder)


def hash_git_folder(root: Path, commit: str, folder: str) -> dict[str, str]:
    """Hash each file that git has of a folder at a commit, by its path relative to the folder."""
    data = run_git_bytes(root, "archive", "--format=tar", commit, "--", folder)
    if not data:
        return {}
    hashes = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)) is not None:
                hashes[member.name[len(folder) + 1 :]] = hash_md5(file.read())
    return hashes


def list_git_objects(revision: Revision) -> dict[str, str]:
    """List the files and folders that git has at a commit, with the names of their git objects."""
    listed = run_git(revision.root, "ls-tree", "-r", "-t", "-z", str(revision.commit)) or ""
    entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
    return {path: about.split()[2] for about, _, path in entries}


def fetch_missing(root: Path, hashes: Iterable[str]) -> None:
    """Fetch the objects that are not in the cache. Raises `UserError` if the remote does not answer."""
    if missing := [md5 for md5 in hashes if not locate_object(root, md5).is_file()]:
        fetch_objects(root, missing)
