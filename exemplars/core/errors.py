"""How a mistake is told: where, what was found, what was expected, what to do. No traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterable

import msgspec


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake of a user, in a form that people and programs can read.

    `line` and `column` count from 1, columns in code points; `byte` counts from 0.
    """

    path: str
    code: str
    found: str
    expected: str
    fix: str
    line: int | None = None
    column: int | None = None
    byte: int | None = None

    @property
    def place(self) -> str:
        """`path[:line[:column]]`, or `path, byte N`."""
        if self.line is not None:
            column = "" if self.column is None else f":{self.column}"
            return f"{self.path}:{self.line}{column}"
        if self.byte is not None:
            return f"{self.path}, byte {self.byte}"
        return self.path

    @property
    def message(self) -> str:
        """One sentence without the place and the code."""
        expected = f", expected {self.expected}" if self.expected else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"found {self.found}{expected}{fix}"

    def __str__(self) -> str:
        return f"{self.place}: {self.code}: {self.message}"


class UserError(Exception):
    """All mistakes that one step found, collected; shown without a traceback."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        """All that is to be told; at least one."""
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(diagnostic) for diagnostic in self.diagnostics))


_DISK_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space, then run the same command again",
    errno.EDQUOT: "the disk quota is used up: free some space, then run the same command again",
    errno.EROFS: "the file system is read-only: choose another place, or mount it writable",
    errno.EACCES: "permission denied: change the permissions of the folder (chmod u+w), then run again",
    errno.EPERM: "the operation is not permitted: check the owner and the permissions of the folder",
    errno.ENOENT: "the file does not exist: check the path, or run `dvc repro` to make it",
    errno.ENOTDIR: "a file stands where a folder is expected: move it away",
    errno.EFBIG: "the file would be larger than the limit (ulimit -f): raise it, then run again",
    errno.EISDIR: "a folder stands where a file is expected: move it away",
}


def quote_text(text: str, limit: int = 60) -> str:
    """`text` in quotes for a message, cut to `limit` code points."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def run_main(main: Callable[[], None]) -> int:
    """Run the shell of a stage; answer its exit status.

    A `UserError` and an error of the file system are printed as sentences, exit status 1;
    what is no mistake of a user keeps its traceback.
    """
    try:
        main()
    except UserError as error:
        print(f"error: {len(error.diagnostics)} problem(s) found", file=sys.stderr)
        for diagnostic in error.diagnostics:
            print(f"  {diagnostic}", file=sys.stderr)
        return 1
    except OSError as error:
        advice = _DISK_ADVICE.get(error.errno or 0, f"{error.strerror or error}: correct it, then run again")
        print(f"error: {error.filename or 'writing an output'}: {advice}", file=sys.stderr)
        return 1
    return 0
