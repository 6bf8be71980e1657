"""Hashes of files and folders, as DVC makes them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

_THREADS: Final = 4
"""Hashing lets go of Python's lock: more threads than this wait for the disk alone."""
_NEVER: Final = (".git", ".hg/", ".dvc/")
"""What DVC leaves out of every folder."""


def file_digests(paths: Iterable[Path], algorithm: str) -> dict[Path, str | None]:
    """The hash of each file's bytes; null where there is no file that can be read."""

    def digest(path: Path) -> str | None:
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, algorithm).hexdigest()
        except (OSError, ValueError):  # A damaged row may name any path.
            return None

    unique = sorted(set(paths))
    with ThreadPoolExecutor(_THREADS) as pool:
        return dict(zip(unique, pool.map(digest, unique), strict=True))


def ignored(text: str) -> GitIgnoreSpec:
    """What DVC leaves out. text: of the project's `.dvcignore`."""
    return GitIgnoreSpec.from_lines([*_NEVER, *text.splitlines()])


def files_below(root: Path, folder: str, left_out: GitIgnoreSpec) -> list[str]:
    """The files of a folder as DVC counts them, by their paths relative to it, with `/`."""
    found = []
    for place, folders, names in os.walk(root / folder):
        inside = Path(place).relative_to(root).as_posix()
        folders[:] = [name for name in folders if not left_out.match_file(f"{inside}/{name}/")]
        found += [f"{inside}/{name}" for name in names if not left_out.match_file(f"{inside}/{name}")]
    return sorted(name[len(folder) + 1 :] for name in found)


def listing_md5(listing: Mapping[str, str]) -> str:
    """DVC's hash of a folder, from the hashes of its files by their relative paths."""
    entries = [{"md5": md5, "relpath": path} for path, md5 in sorted(listing.items())]
    data = json.dumps(entries, sort_keys=True).encode()
    return hashlib.md5(data, usedforsecurity=False).hexdigest() + ".dir"
