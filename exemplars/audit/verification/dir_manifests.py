"""What a folder held when its stage ran: its hash alone does not say which file is another one."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pathspec import GitIgnoreSpec

from exemplars.audit.revisions import (
    LOCK,
    Output,
    Revision,
    cached_object,
    fetch,
    folder_entries,
    git,
    git_bytes,
)
from exemplars.audit.verification.hashes import listing_md5


def held_then(
    revision: Revision, folder: Output, now: Mapping[str, str], left_out: GitIgnoreSpec
) -> dict[str, str] | None:
    """The files that a folder of `dvc.lock` held, with their hashes; null where nothing proves them.

    They are in DVC's cache, or are put together from git's objects, from the outputs in the folder, and from
    the files as they are now; the hash of the folder proves that it is right.

    now: the folder's files as they lie there. left_out: what DVC does not count.
    """
    listing = cached_object(revision.root, folder.md5)
    if listing.is_file():
        try:
            entries = {one.path: one.md5 for one in folder_entries(listing)}
        except (ValueError, KeyError, TypeError):
            entries = {}
        if listing_md5(entries) == folder.md5:
            return entries
    inside = f"{folder.path}/"
    outs = {
        out.path.removeprefix(inside): out.md5
        for out in revision.outputs.values()
        if out.path.startswith(inside) and not out.is_folder
    }
    for tracked in _in_git(revision, folder.path):
        known = {**tracked, **outs}
        known = {path: md5 for path, md5 in known.items() if not left_out.match_file(inside + path)}
        for guess in (known, {**now, **known}):
            if listing_md5(guess) == folder.md5:
                return guess
    return None


def _in_git(revision: Revision, folder: str) -> Iterator[dict[str, str]]:
    """What git holds of a folder, with MD5s: at the commit that has the lock, then at the newest."""
    if revision.commit is not None:
        yield blobs(revision.root, revision.commit, folder)
        return
    yield blobs(revision.root, "HEAD", folder)
    commit = (git(revision.root, "log", "-1", "--format=%H", "--", LOCK) or "").strip()
    if commit:
        yield blobs(revision.root, commit, folder)


def blobs(root: Path, commit: str, folder: str) -> dict[str, str]:
    """The MD5 of each file that git has of a folder at a commit, by its path relative to the folder."""
    data = git_bytes(root, "archive", "--format=tar", commit, "--", folder)
    if not data:
        return {}
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)) is not None:
                content = hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
                found[member.name[len(folder) + 1 :]] = content
    return found


def tracked_files(revision: Revision) -> dict[str, str]:
    """The files and folders that git has at a commit, with the names of their objects in git."""
    listed = git(revision.root, "ls-tree", "-r", "-t", "-z", str(revision.commit)) or ""
    entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
    return {path: about.split()[2] for about, _, path in entries}


def fetch_missing(root: Path, hashes: Iterable[str]) -> None:
    """Bring from the remote what the cache lacks. Raises `UserError` where it does not answer."""
    if missing := [md5 for md5 in hashes if not cached_object(root, md5).is_file()]:
        fetch(root, missing)
