"""The places of a name in labeled JSONL and in `tools.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.audit.renaming.edits import Edit, Rename
from exemplars.core.documents import decode_json
from exemplars.core.slot_paths import format_path

_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
Path = tuple[str | int, ...]


class JsonString(NamedTuple):
    """A string of a JSON document, where it is written."""

    path: Path
    """The keys and indexes that lead to it; of a key, up to the key itself."""
    is_key: bool
    start: int
    """The position of its first quote, in code points."""
    end: int
    value: str


def list_strings(text: str) -> Iterator[JsonString]:
    """Yield the strings of a valid JSON document in their order.

    >>> [(string.path, string.is_key) for string in list_strings('{"a": ["b"]}')]
    [(('a',), True), (('a', 0), False)]
    """
    path: list[str | int] = []
    kinds: list[str] = []
    expects_key = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in "{[":
            kinds.append(token)
            path.append("" if token == "{" else 0)
            expects_key = token == "{"
        elif token in "}]":
            kinds.pop()
            path.pop()
            expects_key = False
        elif token == ",":
            expects_key = kinds[-1] == "{"
            if kinds[-1] == "[":
                path[-1] = int(path[-1]) + 1
        elif token[0] == '"':
            value = json.loads(token)
            if expects_key:
                path[-1] = value
            yield JsonString(tuple(path), expects_key, match.start(), match.end(), value)
            expects_key = False


def find_example_edits(text: str, rename: Rename) -> list[Edit]:
    """Find the edits of a file of labeled examples: in the calls of the skill, in lines that are JSON."""
    edits: list[Edit] = []
    start = 0
    for line in text.split("\n"):
        bases = _list_calls_of(line, rename.skill)
        for string in list_strings(line) if bases else ():
            for base in bases:
                if string.path[: len(base)] == base:
                    inner = string._replace(path=string.path[len(base) :])
                    edits += _shift(_edit_example_string(line, inner, rename), start)
        start += len(line) + 1
    return edits


def find_tool_edits(text: str, rename: Rename) -> list[Edit]:
    """Find the edits of tool definitions of OpenAI or MCP; none if the file is not JSON."""
    try:
        tools = decode_json(text)
    except msgspec.DecodeError:
        return []
    base: Path = ()
    for key in ("result", "tools"):
        if isinstance(tools, dict) and key in tools:
            base, tools = (*base, key), tools[key]
    if not isinstance(tools, list):
        return []
    functions = [_locate_function(base, number, tool) for number, tool in enumerate(tools)]
    bases = {path for path, function in functions if function.get("name") == rename.skill}
    is_place = _is_skill_place if rename.parameter is None else _is_parameter_place
    return [
        _replace_string(string, rename.new)
        for string in list_strings(text)
        if string.value == rename.old
        for path in bases
        if string.path[: len(path)] == path and is_place(string.path[len(path) :], string.is_key)
    ]


def _locate_function(base: Path, number: int, tool: Any) -> tuple[Path, dict[str, Any]]:
    """Locate the function of a tool: the path to it, and the function itself."""
    path: Path = (*base, number)
    if isinstance(tool, dict) and "function" in tool:
        path, tool = (*path, "function"), tool["function"]
    return path, tool if isinstance(tool, dict) else {}


def _is_skill_place(path: Path, is_key: bool) -> bool:
    return path == ("name",) and not is_key


def _is_parameter_place(path: Path, is_key: bool) -> bool:
    if path[:1] == ("x-required",):
        return not is_key and len(path) == 2
    if path[:1] not in (("parameters",), ("inputSchema",)):
        return False
    return path[1:-1] == (("properties",) if is_key else ("required",))


def _list_calls_of(line: str, skill: str) -> list[Path]:
    """List the paths to the calls of a skill in a line: the line itself, or those of a turn."""
    try:
        row = decode_json(line) if line.strip() else None
    except msgspec.DecodeError:
        return []
    if not isinstance(row, dict):
        return []
    calls = row.get("calls")
    bases: list[Path] = [()] if row.get("skill") == skill else []
    for number, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict) and call.get("skill") == skill:
            bases.append(("calls", number))
    return bases


def _edit_example_string(line: str, string: JsonString, rename: Rename) -> Iterator[Edit]:
    """Yield the edits of a string. Its path begins at the call."""
    path = string.path
    if rename.parameter is None:
        if path == ("skill",) and not string.is_key:
            yield _replace_string(string, rename.new)
        return
    if path == ("exemplar",) and not string.is_key:
        old = json.dumps(format_path((rename.parameter,)))[1:-1]  # As JSON writes it.
        slot = re.compile(rf"<{re.escape(old)}(?=[.\[>])")
        for match in slot.finditer(line, string.start, string.end):
            yield Edit(match.start() + 1, match.end(), rename.new)
    elif string.is_key and path[:-1] == ("arguments",):
        if string.value == rename.parameter:
            yield _replace_string(string, rename.new)
    elif (string.is_key and path[:-1] == ("spans",)) or (
        not string.is_key and path[:1] == ("arguments",) and path[2:] == ("slot",)
    ):
        renamed = rename.rename_path(string.value)
        if renamed != string.value:
            yield _replace_string(string, renamed)


def _replace_string(string: JsonString, new: str) -> Edit:
    return Edit(string.start, string.end, json.dumps(new, ensure_ascii=False))


def _shift(edits: Iterator[Edit], offset: int) -> list[Edit]:
    return [Edit(edit.start + offset, edit.end + offset, edit.new) for edit in edits]
