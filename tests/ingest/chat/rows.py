"""A source of conversations in a folder, read by the reader of `ingest`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from exemplars.core.records import Record, Rejection
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import records_from_table, rejections_from_table
from stages.ingest.params import ChatSource, IngestParams
from stages.ingest.source_files import SourceTables
from stages.ingest.sources import read_source

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Weather.", "parameters": PARAMETERS},
}


def write_lines(path: Path, *rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))


def read_tables(folder: Path, context_turns: int = 12, **settings: Any) -> SourceTables:
    source = ChatSource(path=str(folder), license="MIT", **settings)
    return read_source("mine", IngestParams(sources={"mine": source}, context_turns=context_turns), 1)


def read_folder(folder: Path, **settings: Any) -> tuple[list[Record], list[Rejection]]:
    tables = read_tables(folder, **settings)
    return records_from_table(tables.records), rejections_from_table(tables.rejections)


def find_skills(folder: Path) -> dict[str, Skill]:
    return {skill.name: skill for skill in read_tables(folder).skills}


def make_call(name: str = "get_weather", **arguments: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def make_row(*messages: dict[str, Any], tools: Any = (TOOL,)) -> dict[str, Any]:
    return {"messages": list(messages), "tools": tools}


def say(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": text}


def ask(*calls: dict[str, Any], text: str | None = None, **keys: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, "tool_calls": list(calls), **keys}
