"""A source of conversations: its files, the tools that they define, and its rows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import map_file, read_file
from exemplars.core.ledger import Problem, reject_row
from exemplars.core.records import Origin, Reason, Record, Rejection
from exemplars.dataset.catalog import Skill, parse_tool_definition
from exemplars.dataset.recognizers import Recognizers
from exemplars.dataset.row_labels import find_labels
from exemplars.dataset.row_tables import records_to_table, rejections_to_table
from exemplars.dataset.schema_union import unite_definitions
from stages.ingest.chat.dialects import parse_row, read_conversation
from stages.ingest.chat.records import RowPlace, build_labelled_rows, build_rows, reject_conversation
from stages.ingest.file_listing import FileKind, SourceFile, list_files
from stages.ingest.params import ChatSource, OnBadFile
from stages.ingest.reading import STAGE, SourceInfo, collect_rows, make_unread
from stages.ingest.row_files import PARQUET_MAGIC, Content, FileRow, read_rows
from stages.ingest.source_files import SourceTables, reject_file
from stages.ingest.tools import TOOLS_FILE, parse_tool_definitions

CHAT_FILES: Final = FileKind(
    ("*.jsonl", "*.json", "*.parquet"),
    "conversations with tool calls (*.jsonl, *.json, *.parquet)",
    rb'(?s)\A(?:\xef\xbb\xbf)?\s*[\[{].*?"(?:messages|conversations|answers|function)"\s*:',
)
ANSWERS_FOLDER: Final = "possible_answer"
"""The folder in which BFCL has the answers to the questions of a file of the same name."""
_ROWS_A_TABLE: Final = 8192
"""Rows that are built before they become a table, which takes a tenth of the memory."""


class _Answers(NamedTuple):
    """The answers that belong to a file of questions."""

    origin: Origin
    """Without a locator."""
    by_id: dict[str, FileRow]
    """Those of no question yet; one without an id of its own is under `#` and its locator."""


def read_chat_source(
    root: Path, settings: ChatSource, source: SourceInfo, context_turns: int
) -> SourceTables:
    """Read all files below a folder, twice: first the tools, which several rows may define, then the rows.

    A `tools.json` has the tools of rows that list none.
    Raises `UserError` with all files that cannot be read, unless they are to be rejected.
    """
    reader = _SourceReader(root, settings, source, context_turns)
    reader.read_definitions()
    if reader.unreadable and settings.on_bad_file is OnBadFile.FAIL:
        problems = (problem for error in reader.unreadable.values() for problem in error.diagnostics)
        raise UserError(problems)
    records, rejections = reader.read_tables()
    return SourceTables(records, rejections, tuple(reader.skills.values()), Recognizers())


class _SourceReader:
    def __init__(self, root: Path, settings: ChatSource, source: SourceInfo, context_turns: int) -> None:
        self.root = root
        self.wanted = settings.dialect
        self.source = source
        self.context_turns = context_turns
        listed = [file for file in list_files(root, "", CHAT_FILES) if file.name != TOOLS_FILE]
        self.files = [file for file in listed if not _is_answers(file)]
        self.answer_files = {_name_questions(file): file for file in listed if _is_answers(file)}
        self.definitions: dict[str, Mapping[str, Any]] = {}
        self.places: dict[str, str] = {}
        self.answers: dict[str, _Answers | None] = {}
        self.unreadable: dict[str, UserError] = {}
        """By the name of the file."""
        self.tools = tuple(self._read_tools())
        self.skills: dict[str, Skill] = {}

    def _read_tools(self) -> Iterator[Mapping[str, Any]]:
        path = self.root / TOOLS_FILE
        if os.path.lexists(path):
            data = read_file(path, name=TOOLS_FILE, expected="tool definitions")
            tools = parse_tool_definitions(TOOLS_FILE, data)
            self._add_tools(tools, f"{TOOLS_FILE}:1")
            yield from tools

    def _add_tools(self, tools: Iterable[Mapping[str, Any]], place: str) -> None:
        for tool in tools:
            name = tool["function"]["name"]
            known = self.definitions.setdefault(name, tool)
            self.places.setdefault(name, place)
            if known != tool:
                self.definitions[name] = unite_definitions(known, tool)

    def read_definitions(self) -> None:
        """Read the tools of all rows into `skills`, and note the files that cannot be read."""
        seen: set[bytes] = set()
        for file in self.files:
            with self._note_unreadable(file), _open(file) as data:
                self.answers[file.name] = self._read_answers(file)
                for row in _read_rows(file.name, data):
                    conversation = parse_row(row.content, self.wanted)
                    if not isinstance(conversation, Problem) and conversation.tools:
                        key = hashlib.sha256(msgspec.json.encode(conversation.tools, enc_hook=str)).digest()
                        if key not in seen:
                            seen.add(key)
                            line = row.locator if row.locator.isdecimal() else "1"
                            self._add_tools(conversation.tools, f"{file.name}:{line}")
        self.skills = {
            name: msgspec.structs.replace(parse_tool_definition(tool), place=self.places[name])
            for name, tool in self.definitions.items()
        }

    @contextmanager
    def _note_unreadable(self, file: SourceFile) -> Iterator[None]:
        try:
            yield
        except UserError as error:
            self.unreadable[file.name] = error

    def read_tables(self) -> tuple[pa.Table, pa.Table]:
        """Read the rows of all files that can be read into tables of records and of rejections."""
        records, rejections = [records_to_table([])], [rejections_to_table([])]
        rows = iter(self._read_all())
        while part := list(islice(rows, _ROWS_A_TABLE)):
            reading = collect_rows(part)
            records.append(records_to_table(reading.records))
            rejections.append(rejections_to_table(reading.rejections))
        return pa.concat_tables(records), pa.concat_tables(rejections)

    def _read_all(self) -> Iterator[Record | Rejection]:
        for file in self.files:
            yield from self._read_file(file)
        for name, file in self.answer_files.items():
            if name not in {question.name for question in self.files}:
                found, expected = "answers without questions", f"a file {name}"
                problem = Diagnostic(
                    path=file.name, code="no_questions", found=found, expected=expected, fix="add the file"
                )
                yield reject_file(self.source, file.name, "", UserError([problem]))

    def _read_file(self, file: SourceFile) -> Iterator[Record | Rejection]:
        error = self.unreadable.get(file.name)
        if error is not None:
            yield reject_file(self.source, file.name, _hash_if_readable(file), error)
            return
        with _open(file) as data:
            sha256 = hashlib.sha256(data).hexdigest()
            answers = self.answers[file.name]
            for row in _read_rows(file.name, data):
                origin = Origin(file.name, sha256, row.locator)
                yield from self._read_row(RowPlace(self.source, origin, self.context_turns), row, answers)
            yield from self._reject_answers(answers)

    def _read_answers(self, file: SourceFile) -> _Answers | None:
        answers = self.answer_files.get(file.name)
        if answers is None:
            return None
        data = answers.read()
        by_id: dict[str, FileRow] = {}
        for row in read_rows(answers.name, data):
            key = _get_id(row.content)
            by_id[key if key and key not in by_id else f"#{row.locator}"] = row
        return _Answers(Origin(answers.name, hash_content(data), ""), by_id)

    def _read_row(
        self, place: RowPlace, row: FileRow, answers: _Answers | None
    ) -> Iterator[Record | Rejection]:
        content = row.content
        if isinstance(content, Problem):
            yield reject_conversation(place, content)
            return
        answer = None if answers is None else answers.by_id.pop(_get_id(content), None)
        if answers is not None and answer is not None and isinstance(answer.content, dict):
            content = {**content, "ground_truth": answer.content.get("ground_truth")}
            place = place._replace(answers=msgspec.structs.replace(answers.origin, locator=answer.locator))
        conversation = read_conversation(content, self.wanted, self.tools)
        if isinstance(conversation, Problem):
            yield reject_conversation(place, conversation)
        elif (labels := find_labels(content)) is not None:
            yield from build_labelled_rows(conversation, place, self.skills, labels)
        else:
            yield from build_rows(conversation, place, self.skills)

    def _reject_answers(self, answers: _Answers | None) -> Iterator[Rejection]:
        """Reject the answers that no question has."""
        for row in () if answers is None else answers.by_id.values():
            assert answers is not None
            origin = msgspec.structs.replace(answers.origin, locator=row.locator)
            problem = Problem(
                Reason.MALFORMED_RECORD, "an answer without a question", "the id of a question", "correct it"
            )
            problem = row.content if isinstance(row.content, Problem) else problem
            yield reject_row(make_unread(self.source, origin), STAGE, [problem])


@contextmanager
def _open(file: SourceFile) -> Iterator[Content]:
    if file.problem is not None:
        raise UserError([file.problem])
    with map_file(file.path, name=file.name, expected="a file of conversations") as data:
        yield data


def _read_rows(name: str, data: Content) -> Iterator[FileRow]:
    """Read the rows of a file; a table has all keys of its objects in each of them, so those without a value go."""
    is_table = data[: len(PARQUET_MAGIC)] == PARQUET_MAGIC
    for row in read_rows(name, data):
        yield row._replace(content=_drop_nulls(row.content)) if is_table else row


def _drop_nulls(value: Any) -> Any:
    """Return a value as JSON has it, without the members of objects that are `None`."""
    if isinstance(value, dict):
        return {str(key): _drop_nulls(child) for key, child in value.items() if child is not None}
    if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
        return _drop_nulls(dict(value))  # A map.
    if isinstance(value, list):
        return [_drop_nulls(item) for item in value]
    return value if isinstance(value, str | int | float | None) else str(value)  # A date, bytes.


def _hash_if_readable(file: SourceFile) -> str:
    try:
        with _open(file) as data:
            return hashlib.sha256(data).hexdigest()
    except UserError:
        return ""


def _is_answers(file: SourceFile) -> bool:
    return ANSWERS_FOLDER in file.name.split("/")[:-1]


def _name_questions(file: SourceFile) -> str:
    """Return the name of the file whose questions a file of answers answers."""
    return "/".join(part for part in file.name.split("/") if part != ANSWERS_FOLDER)


def _get_id(row: Any) -> str:
    return str(row.get("id")) if isinstance(row, dict) and "id" in row else ""
