"""Hashes of files and folders, computed as DVC computes them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

_THREADS: Final = 4
"""`hashlib` releases Python's lock; with more threads than this, all of them wait for the disk."""
_ALWAYS_IGNORED: Final = (".git", ".hg/", ".dvc/")
"""What DVC ignores in every folder."""


def hash_files(paths: Iterable[Path], hash_file: Callable[[Path], str]) -> dict[Path, str | None]:
    """Hash files in several threads.

    hash_file: `hash_md5_file` for DVC's hashes, `core.files.hash_file` for SHA-256. The hash of a file that
    is missing or unreadable is `None`.
    """

    def try_hash(path: Path) -> str | None:
        try:
            return hash_file(path)
        except (OSError, ValueError):  # The path may come from a damaged row.
            return None

    unique = sorted(set(paths))
    with ThreadPoolExecutor(_THREADS) as pool:
        return dict(zip(unique, pool.map(try_hash, unique), strict=True))


def hash_md5_file(path: Path) -> str:
    """Return the MD5 of a file, as `dvc.lock` has it, without reading the whole file into memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def hash_md5(data: bytes) -> str:
    """Return the MD5 of a file's bytes, as `dvc.lock` has it."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def hash_dir_manifest(entries: Mapping[str, str]) -> str:
    """Return DVC's hash of a folder. entries: the MD5 of each file, by path relative to the folder.

    >>> hash_dir_manifest({"b.py": "c4ca4238a0b923820dcc509a6f75849b"})
    '15fb0e3f8ddd3a5b843231f595ecd491.dir'
    """
    listing = [{"md5": md5, "relpath": path} for path, md5 in sorted(entries.items())]
    return hash_md5(json.dumps(listing, sort_keys=True).encode()) + ".dir"


def parse_dvcignore(text: str) -> GitIgnoreSpec:
    """Parse the text of `.dvcignore`, and add what DVC always ignores."""
    return GitIgnoreSpec.from_lines([*_ALWAYS_IGNORED, *text.splitlines()])


def list_files(root: Path, folder: str, ignored: GitIgnoreSpec) -> list[str]:
    """List the files that DVC counts in a folder, as paths relative to the folder, with `/`."""
    paths = []
    for place, folders, names in os.walk(root / folder):
        inside = Path(place).relative_to(root).as_posix()
        folders[:] = [name for name in folders if not ignored.match_file(f"{inside}/{name}/")]
        paths += [f"{inside}/{name}" for name in names if not ignored.match_file(f"{inside}/{name}")]
    return sorted(path[len(folder) + 1 :] for path in paths)
