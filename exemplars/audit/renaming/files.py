"""The files of the sources that a renaming reads, with what it needs to know of each format."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exemplars.audit.renaming.edits import Edit, Rename
from exemplars.audit.renaming.json_edits import find_example_edits, find_tool_edits, list_strings
from exemplars.audit.renaming.skill_edits import find_skill_edits
from exemplars.core.files import list_folder, read_file
from stages.ingest.file_listing import FileKind, list_files
from stages.ingest.jsonl import parse_jsonl_file
from stages.ingest.params import IngestParams, JsonlSource, SkillsSource
from stages.ingest.reading import Reading, SourceInfo, decode_text
from stages.ingest.remote_folders import require_folder
from stages.ingest.skills import SKILL_FILES, parse_skill_file
from stages.ingest.skills.outline import parse_outline
from stages.ingest.sources import EXAMPLE_FILES
from stages.ingest.tools import TOOLS_FILE, parse_tools

_MAX_BYTES: Final = 2**24
"""Larger files of other formats are data rather than definitions, and are not searched."""


class SourceFileText(ABC):
    """A file of a source, as text."""

    none_skills: tuple[str, ...] = ()
    """The skills of the file that stand for "no call"."""

    def __init__(self, source: str, path: Path, text: str) -> None:
        """Keep what was read. source: the name of the source. path: of the file."""
        self.source = SourceInfo(source, "")
        self.path = path
        self.text = text

    @abstractmethod
    def parse(self, data: bytes, rename: Rename | None = None) -> Reading:
        """Parse a text of the file as `ingest` does. rename: what has been renamed in it."""

    @abstractmethod
    def find_edits(self, rename: Rename) -> list[Edit]:
        """Find the edits that rename in this file."""

    @abstractmethod
    def list_descriptions(self, skill: str) -> Iterator[tuple[int, str]]:
        """Yield the descriptions of a skill and its parameters, each after its line."""


class SkillFileText(SourceFileText):
    """A skill example file."""

    def __init__(self, source: str, path: Path, text: str, none_skill: str | None) -> None:
        """Keep what was read. none_skill: the skill of the source that stands for "no call"."""
        super().__init__(source, path, text)
        self._none_skill = none_skill
        outline = parse_outline(str(path), text)
        is_none = any(
            none_skill and line.text.strip().startswith(f"{none_skill}(") for line in outline.prompt[:1]
        )
        self.none_skills = (none_skill,) if none_skill and is_none else ()

    def parse(self, data: bytes, rename: Rename | None = None) -> Reading:
        """Parse a text of the file as `ingest` does."""
        none_skill = self._none_skill
        if rename is not None and rename.parameter is None and none_skill == rename.skill:
            none_skill = rename.new
        return parse_skill_file(self.source, self.path.as_posix(), data, none_skill)[0]

    def find_edits(self, rename: Rename) -> list[Edit]:
        """Find the edits that rename in this file."""
        return find_skill_edits(str(self.path), self.text, rename)

    def list_descriptions(self, skill: str) -> Iterator[tuple[int, str]]:
        """Yield the lines of the section `Prompt` after the signature."""
        prompt = parse_outline(str(self.path), self.text).prompt
        if prompt and prompt[0].text.strip().startswith(f"{skill}("):
            yield from ((line.number, line.text) for line in prompt[1:])


class ExampleFileText(SourceFileText):
    """A file of labeled examples."""

    def parse(self, data: bytes, rename: Rename | None = None) -> Reading:
        """Parse a text of the file as `ingest` does."""
        return parse_jsonl_file(self.source, self.path.as_posix(), data)

    def find_edits(self, rename: Rename) -> list[Edit]:
        """Find the edits that rename in this file."""
        return find_example_edits(self.text, rename)

    def list_descriptions(self, skill: str) -> Iterator[tuple[int, str]]:
        """Yield nothing: examples have no descriptions."""
        yield from ()


class ToolsFileText(SourceFileText):
    """The tool definitions of labeled examples."""

    def parse(self, data: bytes, rename: Rename | None = None) -> Reading:
        """Parse a text of the file as `ingest` does."""
        return Reading((), (), skills=parse_tools(str(self.path), data))

    def find_edits(self, rename: Rename) -> list[Edit]:
        """Find the edits that rename in this file."""
        return find_tool_edits(self.text, rename)

    def list_descriptions(self, skill: str) -> Iterator[tuple[int, str]]:
        """Yield the descriptions of all tools: which of them is the skill's does not matter to a reader."""
        for string in list_strings(self.text):
            if string.path[-1:] == ("description",) and not string.is_key:
                yield self.text.count("\n", 0, string.start) + 1, string.value


def read_source_files(params: IngestParams) -> Iterator[SourceFileText]:
    """Read the skill files and the labeled examples of all sources.

    Raises `UserError` if a file cannot be read, or if a source is at a URL.
    """
    for name, settings in params.sources.items():
        if not isinstance(settings, SkillsSource | JsonlSource):
            continue
        root = require_folder(settings.path)
        if isinstance(settings, SkillsSource):
            for path, text in _read_files(root, SKILL_FILES):
                yield SkillFileText(name, path, text, settings.none_skill)
        else:
            for path, text in _read_files(root, EXAMPLE_FILES):
                yield ExampleFileText(name, path, text)
            tools = root / TOOLS_FILE
            if tools.exists():
                yield ToolsFileText(name, tools, decode_text(str(tools), read_file(tools)))


def _read_files(root: Path, kind: FileKind) -> Iterator[tuple[Path, str]]:
    for file in list_files(root, "", kind):
        yield file.path, decode_text(file.name, file.read())


def read_other_files(params: IngestParams) -> Iterator[tuple[Path, str]]:
    """Read the JSON, JSON Lines and YAML files of sources in other formats, which are searched and not changed."""
    for settings in params.sources.values():
        if not isinstance(settings, SkillsSource | JsonlSource) and Path(settings.path).is_dir():
            for entry in list_folder(Path(settings.path)):
                is_text = re.fullmatch(r"\.(jsonl?|ya?ml)", entry.path.suffix.casefold())
                if entry.problem is None and is_text and entry.path.stat().st_size <= _MAX_BYTES:
                    yield entry.path, read_file(entry.path).decode("utf-8", "replace")
