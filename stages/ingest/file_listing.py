"""The files of a source on disk: which belong to it, and what keeps them from being read."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import FolderEntry, format_path, list_folder, read_file

_PACKED: Final = (".gz", ".bz2", ".xz", ".zst", ".zip")
_HEAD_BYTES: Final = 2**16


class FileKind(NamedTuple):
    """Which files of a folder a reader reads."""

    patterns: tuple[str, ...]
    """Of their names, without regard to case."""
    expected: str
    """What the folder should hold, for messages."""
    content: bytes
    """A regular expression that is found at the beginning of such a file, whatever its name is."""
    others: tuple[str, ...] = ()
    """The names of other files that belong into the folder."""

    def is_named(self, name: str) -> bool:
        """Return whether a file has a name of this kind."""
        return any(fnmatchcase(name.casefold(), pattern) for pattern in self.patterns)


class SourceFile(NamedTuple):
    """A file of a source, or something in its folder that cannot be read."""

    name: str
    """Its path relative to the source's root, with `/` between folders."""
    path: Path
    problem: Diagnostic | None = None
    """Why it cannot be read, if that is known before it is read."""

    def read(self) -> bytes:
        """Read the file. Raises `UserError` if it cannot be read."""
        if self.problem is not None:
            raise UserError([self.problem])
        return read_file(self.path, name=self.name)


def list_files(root: Path, folder: str, kind: FileKind) -> list[SourceFile]:
    """List the files of a kind below `root/folder`, sorted by their relative paths.

    Hidden files and folders are skipped. All else that may hold data of this kind is listed with its problem: a
    folder that is a link or cannot be read, a file of another name with such data, and a packed file.
    Raises `UserError` if the folder does not exist, or holds nothing of all this.
    """
    base = root / folder
    if not base.is_dir():
        found, fix = "no such folder", "correct the source's path or splits in params.yaml"
    else:
        listed = (_list_entry(entry, root, kind) for entry in list_folder(base))
        files = [file for file in listed if file is not None]
        if files:
            return sorted(files, key=lambda file: file.name)
        found = f"no file named {' or '.join(kind.patterns)}"
        fix = "put the files there, or remove the source from params.yaml"
    problem = Diagnostic(
        path=format_path(base), code="empty_source", found=found, expected=kind.expected, fix=fix
    )
    raise UserError([problem])


def _list_entry(entry: FolderEntry, root: Path, kind: FileKind) -> SourceFile | None:
    """Make the file of an entry of a folder; `None`: a file that does not belong to the source."""
    name = format_path(entry.path.relative_to(root).as_posix())
    problem = entry.problem
    if entry.is_file and not kind.is_named(entry.path.name):
        problem = _find_misnamed(entry.path, kind)
        if problem is None:
            return None
    if problem is not None:
        problem = msgspec.structs.replace(problem, path=name)
    return SourceFile(name, entry.path, problem)


def _find_misnamed(path: Path, kind: FileKind) -> Diagnostic | None:
    """Find a file that has data of a kind, but no name of it."""
    if path.suffix.casefold() in _PACKED and kind.is_named(path.stem):
        found, fix = "a packed file", "unpack it"
    elif path.name in kind.others or not path.is_file() or not _matches_head(path, kind.content):
        return None
    else:
        found, fix = "such data in a file of another name", "rename it, or move it away"
    expected = f"a file named {' or '.join(kind.patterns)}"
    return Diagnostic(path=path.name, code="misnamed_file", found=found, expected=expected, fix=fix)


def _matches_head(path: Path, content: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return re.search(content, file.read(_HEAD_BYTES)) is not None
    except OSError:  # Neither its name nor its content says that it belongs to the source.
        return False
