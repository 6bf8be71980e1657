"""Reading and writing whole files: a file is either complete or absent, never cut off.

`read_file` is the only door through which a file that a user wrote comes in, and `list_folder` finds such files.
Only entry points, readers of `ingest` and commands call these.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeVar

import msgspec

from exemplars.core import layout
from exemplars.core.documents import RepeatedKeyError, decode_json
from exemplars.core.errors import DISK_ADVICE, Diagnostic, UserError

T = TypeVar("T")

MAX_FILE_BYTES: Final = 256 * 2**20
"""The size of the largest file that is read as a whole."""
MAX_RECORD_BYTES: Final = 2**20
"""The size of the largest record, such as a line of a file: parsing takes up to 50 times as much memory."""
_UNLIMITED: Final = 2**40
_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class FolderEntry(NamedTuple):
    """A file that was found in a folder, or something there that cannot be read."""

    path: Path
    is_file: bool
    """Whether it is no folder: a file, or a device or pipe."""
    problem: Diagnostic | None = None
    """Why nothing below `path` is read."""


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a temporary file in the folder of `path`, and rename it to `path` when the block succeeds.

    After an error, or if the process is killed, `path` is what it was before. The file gets the permissions
    that the umask allows. Raises `OSError` if the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.chmod(0o666 & ~read_umask())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_umask() -> int:
    """Return the permissions that new files of this process do not get."""
    umask = os.umask(0o077)  # It cannot be read without being set.
    os.umask(umask)
    return umask


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file. Raises `OSError`, and then leaves the old file as it was."""
    with replace_file(path) as partial:
        partial.write_bytes(data)


def read_file(path: Path, *, name: str = "", expected: str = "a file", limit: int = MAX_FILE_BYTES) -> bytes:
    """Read a file that a user wrote, if it is a regular file, or a link to one, of at most `limit` bytes.

    name: of the file in messages, if it is not its path. expected: what the file should be, in messages.
    Raises `UserError` if there is no such file, if it is anything else (a folder, a named pipe, a device, a broken
    link), or if it cannot be read or is too large.
    """
    place = name or format_path(path)
    with _open_regular(path, place, expected) as file:
        try:
            data = _read_at_most(file, os.fstat(file.fileno()).st_size, limit + 1)
        except OSError as error:
            raise UserError([_describe_failure(path, place, error, expected)]) from None
    if len(data) > limit:
        problem = Diagnostic(
            path=place,
            code="file_too_large",
            found=f"more than {limit:,} bytes",
            expected=f"at most {limit:,} bytes",
            fix="divide it into several files",
        )
        raise UserError([problem])
    return data


@contextmanager
def map_file(path: Path, *, name: str = "", expected: str = "a file") -> Iterator[mmap.mmap | bytes]:
    """Map a file that a user wrote into memory, of any length: only what is looked at is read; as `read_file`."""
    place = name or format_path(path)
    with _open_regular(path, place, expected) as file:
        if os.fstat(file.fileno()).st_size == 0:
            yield b""  # Nothing cannot be mapped.
            return
        yield mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _open_regular(path: Path, place: str, expected: str) -> BinaryIO:
    """Open a regular file, or a link to one; raise `UserError` for anything else."""
    try:
        found = _describe_kind(path.stat().st_mode)
        if found is None:
            # A pipe that takes the file's place in this moment must not block.
            file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")  # noqa: SIM115
            found = _describe_kind(os.fstat(file.fileno()).st_mode)
            if found is None:
                return file
            file.close()
    except (OSError, ValueError) as error:
        raise UserError([_describe_failure(path, place, error, expected)]) from None
    fix = "move it away, or put a file in its place"
    raise UserError(
        [Diagnostic(path=place, code="not_a_file", found=found or "", expected=expected, fix=fix)]
    )


def _read_at_most(file: BinaryIO, size: int, limit: int) -> bytes:
    """Read a file up to a limit. size: what the system says; a file of /proc or one that grows has more."""
    data = file.read(min(size + 1, limit))
    while size < len(data) < limit and (more := file.read(min(2**20, limit - len(data)))):
        data += more
    return data


def list_folder(base: Path) -> list[FolderEntry]:
    """List all files below a folder, sorted by path, and all that hides files.

    Hidden files and folders are skipped. What hides files is listed with its problem: a folder that cannot be
    read or that is a link (DVC does not track the files in it), a broken link, and a name that is not UTF-8.
    """
    entries: list[FolderEntry] = []
    folders = [base]
    while folders:
        folder = folders.pop()
        try:
            children = list(os.scandir(folder))
        except OSError as error:
            problem = _describe_failure(folder, format_path(folder), error, "a folder that can be read")
            entries.append(FolderEntry(folder, False, problem))
            continue
        for child in children:
            if child.name.startswith("."):
                continue
            entry = _inspect_child(child)
            if entry.is_file or entry.problem is not None:
                entries.append(entry)
            else:
                folders.append(entry.path)
    return sorted(entries, key=lambda entry: entry.path)


def _inspect_child(child: os.DirEntry[str]) -> FolderEntry:
    """Describe what is in a folder; a folder itself is an entry that is no file and has no problem."""
    path = Path(child.path)
    place = format_path(path)
    try:
        is_folder = child.is_dir()
        if child.is_symlink():
            path.stat()
    except OSError as error:
        return FolderEntry(path, False, _describe_failure(path, place, error, "a file or folder"))
    problem = None
    if is_folder and child.is_symlink():
        problem = Diagnostic(
            path=place,
            code="linked_folder",
            found="a link to a folder",
            expected="a folder",
            fix="move the folder here: DVC does not track the files in a linked folder",
        )
    elif not _is_utf8(child.name):
        problem = Diagnostic(
            path=place,
            code="name_not_utf8",
            found="a name that is not UTF-8",
            expected="a name in UTF-8, as row ids contain it",
            fix="rename it (for example with convmv -f latin1 -t utf-8)",
        )
    return FolderEntry(path, not is_folder, problem)


def format_path(path: Path | str) -> str:
    r"""Format a path for a message: bytes that are not UTF-8 are written as `\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _is_utf8(name: str) -> bool:
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)


def _describe_kind(mode: int) -> str | None:
    """Describe what is not a regular file; `None`: it is one."""
    if stat.S_ISREG(mode):
        return None
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), "something else")


def _describe_failure(path: Path, place: str, error: OSError | ValueError, expected: str) -> Diagnostic:
    if isinstance(error, FileNotFoundError):
        if os.path.islink(path):
            code, found, fix = "broken_link", "a link to something that does not exist", "remove the link"
        else:
            code, found, fix = "missing_file", "no such file", "add the file, or correct its path"
        return Diagnostic(path=place, code=code, found=found, expected=expected, fix=fix)
    number = getattr(error, "errno", None) or 0
    advice = DISK_ADVICE.get(number, "check the path and the disk")
    if number == errno.EACCES:
        advice = "make it readable (chmod u+r), or move it away"
    summary = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    return Diagnostic(
        path=place, code="unreadable", found=str(error), expected=expected, fix=advice, summary=summary
    )


def read_json(
    path: Path, type_: type[T], *, code: str, expected: str, fix: str, limit: int = _UNLIMITED
) -> T:
    """Read a JSON file into a value of `type_`.

    code, expected, fix: the parts of the diagnostic that is raised. limit: the largest size in bytes of a file that
    a user wrote; what a stage wrote may be larger.
    Raises `UserError` if the file is missing, is not JSON, or does not match the type.
    """
    try:
        return decode_json(read_file(path, limit=limit), type_)
    except (UserError, msgspec.DecodeError) as error:
        raise UserError([describe_bad_document(path, error, code=code, expected=expected, fix=fix)]) from None


def describe_bad_document(
    path: Path, error: UserError | msgspec.DecodeError, *, code: str, expected: str, fix: str
) -> Diagnostic:
    """Describe why a JSON file could not be read or decoded; with the place of a key that is there twice."""
    found = error.diagnostics[0].found if isinstance(error, UserError) else str(error)
    line, column = (error.line, error.column) if isinstance(error, RepeatedKeyError) else (None, None)
    return Diagnostic(
        path=str(path),
        code=code,
        line=line,
        column=column,
        found=found,
        expected=expected,
        fix=fix,
    )


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal, without loading the whole file into memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encode_json(document: Any) -> bytes:
    r"""Encode a document as JSON that diffs well: indented, keys in the order given, a final newline.

    >>> encode_json({"b": 1})
    b'{\n  "b": 1\n}\n'
    """
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def write_json(path: Path, document: Any) -> None:
    """Write a document as a JSON file. Raises `OSError`, and then leaves the old file as it was."""
    write_bytes(path, encode_json(document))


def write_report(stage: str, report: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    """Write the report of a stage, and its metrics: the few figures of it that DVC compares."""
    write_json(layout.details(stage), report)
    write_json(layout.report(stage), metrics)
