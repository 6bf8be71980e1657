"""User errors: location, what was found, what was expected, how to fix it. Printed without a traceback."""

from __future__ import annotations

import difflib
import errno
import os
import sys
import time
from collections.abc import Callable, Container, Iterable
from itertools import islice
from typing import Final

import msgspec

from exemplars.core.terminal import prepare_streams, print_errors, print_line


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True):
    """One error that a user can fix, in a form that people and programs can read.

    `line` and `column` count from 1, `column` in code points; `byte` counts from 0.
    """

    path: str
    code: str
    fix: str
    found: str = ""
    expected: str = ""
    summary: str = ""
    """A sentence that replaces "found ..., expected ...": "tombstone t1 matches no row"."""
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
        """The sentence without the place and the code."""
        return compose_message(self.found, self.expected, self.fix, self.summary)

    def __str__(self) -> str:
        return f"{self.place}: {self.code}: {self.message}"


class UserError(Exception):
    """All errors that one step found, raised together; `run_main` prints them without a traceback."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        """diagnostics: at least one."""
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(diagnostic) for diagnostic in self.diagnostics))

    def __reduce__(self) -> tuple[type[UserError], tuple[tuple[Diagnostic, ...]]]:
        """Pickle the diagnostics, not their text: a worker process raises errors, too."""
        return type(self), (self.diagnostics,)


_MAX_NAME: Final = 100
"""The length in code points up to which names are compared."""
_START = time.perf_counter()
"""About when the process started: entry points import this module first."""

DISK_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space, then run the same command again",
    errno.EDQUOT: "the disk quota is used up: free some space, then run the same command again",
    errno.EROFS: "the file system is read-only: use a different folder, or mount it writable",
    errno.EACCES: "permission denied: change the permissions of the folder (chmod u+w), then run again",
    errno.EPERM: "the operation is not permitted: check the owner and the permissions of the folder",
    errno.ENOENT: "the file does not exist: check the path, or run `dvc repro` to create it",
    errno.ENOTDIR: "found a file where a folder is expected: move or delete the file",
    errno.EFBIG: "the file would be larger than the limit (ulimit -f): raise it, then run again",
    errno.EISDIR: "found a folder where a file is expected: move or delete the folder",
    errno.ELOOP: "a link leads to itself: remove it",
    errno.ENAMETOOLONG: "the name is longer than the file system allows: shorten it",
}
"""What to do about an error of the system, by its number."""


def compose_message(found: str, expected: str = "", fix: str = "", summary: str = "") -> str:
    """Compose one sentence from what was found, what was expected, and how to fix it.

    summary: replaces the part before the semicolon, unless it is empty.

    >>> compose_message("3 columns", "4", "add the missing column")
    'found 3 columns, expected 4; add the missing column'
    >>> compose_message("", fix="remove it", summary="tombstone t1 matches no row")
    'tombstone t1 matches no row; remove it'
    """
    problem = summary or f"found {found}" + (f", expected {expected}" if expected else "")
    return f"{problem}; {fix}" if fix else problem


def summarize_names(names: Iterable[str], limit: int = 3) -> str:
    """List the first `limit` names, in the order given, and count the others.

    >>> summarize_names("abcdefg")
    'a, b, c and 4 more'
    """
    names = list(names)
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more:,} more" if more > 0 else "")


def quote_text(text: str, limit: int = 60) -> str:
    """Quote a text for a message, cut to `limit` code points.

    >>> quote_text("a long story", limit=7)
    "'a long…'"
    """
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def suggest_name(name: str, known: Iterable[str], taken: Container[str | None] = ()) -> str:
    """Return "did you mean ...?" with the known name that is closest to `name`, or an empty text.

    taken: names that are given already, so that none of them is meant.

    >>> suggest_name("wether", ["weather", "timer"])
    "did you mean 'weather'?"
    """
    # Comparing takes the product of the lengths.
    free = (candidate for candidate in known if candidate not in taken)
    short = [candidate for candidate in islice(free, 100) if len(candidate) <= _MAX_NAME]
    close = difflib.get_close_matches(name, short, n=1) if len(name) <= _MAX_NAME else []
    return f"did you mean {close[0]!r}?" if close else ""


def run_main(main: Callable[[], str | None]) -> int:
    """Run the entry point of a stage and return its exit status; errors as in `report_errors`.

    What `main` returns, a line about what it did, is printed with the seconds since the process started.
    """

    def run() -> int:
        summary = main()
        if summary:
            print_line(f"{summary} ({time.perf_counter() - _START:.1f} s)")
        return 0

    return report_errors(run)


def report_errors(action: Callable[[], int]) -> int:
    """Run a stage or command and return its exit status: the one door through which errors leave.

    `UserError`, `OSError` and `MemoryError` are printed as sentences, and the status is 1; any other exception
    propagates with its traceback.
    """
    prepare_streams()
    try:
        status = action()
        sys.stdout.flush()
        return status
    except UserError as error:
        lines = (f"  {diagnostic}" for diagnostic in error.diagnostics)
        print_errors([f"error: {len(error.diagnostics)} problem(s) found", *lines])
    except BrokenPipeError:
        # The reader of the pipe, `head` for instance, has closed it. What is left to flush goes nowhere, too.
        _drop_output()
        return 0
    except OSError as error:
        advice = DISK_ADVICE.get(error.errno or 0, f"{error.strerror or error}: correct it, then run again")
        print_errors([f"error: {error.filename or 'writing an output'}: {advice}"])
        _drop_output()
    except MemoryError:
        print_errors(["error: out of memory: divide the largest input, or use a larger machine"])
    return 1


def _drop_output() -> None:
    """Drop what the standard output could not take: Python would try again when it exits, and fail again."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
