"""The files of a generated source: answers are appended, and are on the disk before the next step."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exemplars.core.file_locks import keep_others_away
from exemplars.core.files import list_folder, read_file, write_bytes
from exemplars.dataset.generated_answers import GeneratedAnswer, encode_answer, parse_answer

JOURNAL: Final = Path(".dvc/tmp/exemplars-generate.jsonl")
"""What was sent: the ids of requests and their cells, without any text."""
_UNSAFE: Final = re.compile(r"[^a-z0-9._-]+")


class StoredAnswer(NamedTuple):
    """An answer in a file."""

    path: str
    """Relative to the folder of the source."""
    line: int
    """From 1."""
    answer: GeneratedAnswer


class SentRequest(msgspec.Struct, frozen=True):
    """A line of the journal: a request that is about to be sent, or that the server did not answer."""

    id: str
    failed: bool = False
    """Whether the server gave no answer, so that it may be sent again."""


def choose_answer_file(folder: Path, model: str) -> Path:
    """Choose the file for the answers of a model.

    >>> choose_answer_file(Path("raw"), "Qwen/Qwen3-4B").name
    'qwen-qwen3-4b.jsonl'
    """
    return folder / f"{_UNSAFE.sub('-', model.casefold()).strip('-.') or 'model'}.jsonl"


def read_answers(folder: Path) -> Iterator[StoredAnswer]:
    """Read the answers in all files of a source; lines that are no answers, which `ingest` reports, are skipped."""
    for entry in list_folder(folder) if folder.is_dir() else ():
        if not entry.is_file or entry.path.suffix.casefold() != ".jsonl":
            continue
        name = entry.path.relative_to(folder).as_posix()
        for number, line in enumerate(read_file(entry.path).split(b"\n"), 1):
            try:
                yield StoredAnswer(name, number, parse_answer(line))
            except msgspec.DecodeError:
                continue


class LineFile:
    """A file of lines that is appended to. A line is whole, and on the disk, when `append` returns."""

    def __init__(self, path: Path) -> None:
        """Open the file, or create it; what a killed process left of its last line is cut off.

        Raises `OSError` if it cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        self._mend_last_line()

    def append(self, line: bytes) -> None:
        """Append a line with its end. Raises `OSError`, and then leaves the file as it was."""
        end = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):
                os.write(self._descriptor, line[written:])
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, end)
            error.filename = error.filename or str(self.path)
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _mend_last_line(self) -> None:
        """End a whole last line, and cut off a torn one."""
        data = self.path.read_bytes()
        start = data.rfind(b"\n") + 1
        if start == len(data):
            return
        try:
            msgspec.json.decode(data[start:])
        except msgspec.DecodeError:
            os.ftruncate(self._descriptor, start)
        else:
            os.write(self._descriptor, b"\n")


class AnswerStore:
    """Where the answers of a run go, and the journal that says what was sent."""

    def __init__(self, folder: Path) -> None:
        """Open the journal, and check the folder. Raises `OSError` if one of them cannot be written."""
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:  # Before a request costs anything.
            file.write(b"x")
        self._journal = LineFile(JOURNAL)
        self._folder = folder
        self._files: dict[Path, LineFile] = {}

    def note_sent(self, request_id: str) -> None:
        """Note that a request is about to be sent."""
        self._journal.append(msgspec.json.encode(SentRequest(request_id)) + b"\n")

    def note_failed(self, request_id: str) -> None:
        """Note that the server gave no answer."""
        self._journal.append(msgspec.json.encode(SentRequest(request_id, failed=True)) + b"\n")

    def store(self, answer: GeneratedAnswer) -> None:
        """Store an answer. Raises `OSError` if it cannot be written."""
        line, path = encode_answer(answer), choose_answer_file(self._folder, answer.model)
        if path not in self._files:
            if not path.exists():
                write_bytes(path, line)  # A source with an empty file could not be read.
                return
            self._files[path] = LineFile(path)
        self._files[path].append(line)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._journal.close()


def read_sent() -> set[str]:
    """Read the ids of the requests that were sent, and that the server has not left without an answer."""
    sent: set[str] = set()
    for line in JOURNAL.read_bytes().split(b"\n") if JOURNAL.exists() else ():
        try:
            request = msgspec.json.decode(line, type=SentRequest)
        except msgspec.DecodeError:
            continue
        if request.failed:
            sent.discard(request.id)
        else:
            sent.add(request.id)
    return sent


def lock_source() -> AbstractContextManager[None]:
    """Keep other runs of the command away. Raises `UserError` if one is at work."""
    return keep_others_away(JOURNAL.with_suffix(".lock"), "exemplars generate")
