"""Catalogs of others: files of tool definitions, as `exemplars init --tools` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.files import encode_json, read_file
from exemplars.dataset.catalog import Skill, parse_tool_definition
from stages.ingest.tools import parse_tool_definitions

_FIX = "correct the definitions"


def read_tool_file(path: Path) -> tuple[Skill, ...]:
    """Read a file of tool definitions, OpenAI's or MCP's. Raises `UserError` if it has another form, or no tool."""
    return parse_tools(str(path), read_file(path, expected="tool definitions"))


def parse_tool_list(place: str, tools: Sequence[Mapping[str, Any]]) -> tuple[Skill, ...]:
    """Parse tool definitions. place: where they are, for messages. Raises `UserError` as `parse_tools` does."""
    return parse_tools(place, encode_json(tools))


def parse_tools(place: str, data: bytes) -> tuple[Skill, ...]:
    """Parse a JSON document of tool definitions. place: where it is, for messages.

    Raises `UserError` if it has another form, if a JSON Schema is wrong, if it is empty, or names a tool twice.
    """
    skills = tuple(map(parse_tool_definition, parse_tool_definitions(place, data, _FIX)))
    names = [skill.name for skill in skills]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if not skills:
        raise UserError([_describe(place, "no tool", "at least one")])
    if repeated:
        raise UserError([_describe(place, f"{summarize_names(repeated)} twice", "each tool once")])
    return skills


def _describe(place: str, found: str, expected: str) -> Diagnostic:
    return Diagnostic(path=place, code="bad_tools", found=found, expected=expected, fix=_FIX)
