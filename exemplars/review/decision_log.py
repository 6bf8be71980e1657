"""The file of decisions, to which reviewers append: a decision is on the disk when `append` returns.

Each append holds a lock on the file, so that several processes can decide at the same time. What a killed process
left of a line was never reported as saved; the next append removes it.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.file_locks import is_torn, lock_file, read_from, write_at_end
from exemplars.core.reviews import Review, ReviewLines, encode_review


class DecisionLog:
    """A file of decisions. Threads may share it."""

    def __init__(self, path: Path = layout.REVIEWS) -> None:
        """path: of the file; the first append makes it if it does not exist."""
        self.path = path
        self._lock = threading.Lock()
        self._file: tuple[int, int] | None = None
        """The device and inode of the file that was read."""
        self._end = 0
        """The number of bytes of it that were read."""
        self._lines = ReviewLines(path.as_posix())

    def append(self, review: Review) -> bool:
        """Append a decision, and return when it is on the disk: whether it was added.

        A decision that the file has already is not added again, so that a client that got no answer can repeat its
        request. Raises `UserError` if the decision is not sound, if the file has a different one of the same id, or
        if a line of it is broken; `OSError` if it cannot be written. The file then is as it was.
        """
        with self._lock, lock_file(self.path) as descriptor:
            self._read_new_lines(descriptor)
            if self._lines.reviews.get(review.decision_id) == review:
                return False
            problem = self._lines.parse(line := encode_review(review))
            if isinstance(problem, Diagnostic):
                self._file = None
                raise UserError([problem])
            try:
                write_at_end(descriptor, self._end, line)
            except BaseException:
                self._file = None
                raise
            self._end += len(line)
        return True

    def read(self) -> tuple[Review, ...]:
        """Read all decisions, in the order of the file. Raises `UserError` if a line is broken."""
        with self._lock, lock_file(self.path) as descriptor:
            self._read_new_lines(descriptor)
            return tuple(self._lines.reviews.values())

    def _read_new_lines(self, descriptor: int) -> None:
        """Parse what was added since, and remove what a killed process left of a line."""
        status = os.fstat(descriptor)
        if self._file != (status.st_dev, status.st_ino) or status.st_size < self._end:
            self._lines, self._end = ReviewLines(self.path.as_posix()), 0
        data = read_from(descriptor, self._end)
        whole, line_break, rest = data.rpartition(b"\n")
        if rest and is_torn(rest):
            os.ftruncate(descriptor, self._end + len(whole) + len(line_break))
        elif rest:
            write_at_end(descriptor, self._end + len(data), b"\n")
            whole, line_break = data, b"\n"
        self._file = None
        problems = [
            problem
            for line in (whole.split(b"\n") if line_break else ())
            if isinstance(problem := self._lines.parse(line), Diagnostic)
        ]
        if problems:
            raise UserError(problems)
        self._end += len(whole) + len(line_break)
        self._file = (status.st_dev, status.st_ino)
