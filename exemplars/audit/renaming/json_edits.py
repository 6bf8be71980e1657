"""The places of a name in labeled JSONL and in `tools.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from exemplars.audit.renaming.edits import Edit, Rename
from exemplars.core.documents import decode_json

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
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
    """Find the edits of a file of labeled examples: in the lines of the skill, as far as they are JSON."""
    edits: list[Edit] = []
    start = 0
    for line in text.split("\n"):
        calls = _list_calls(line, rename.skill)
        for string in list_strings(line) if calls else ():
            for call in calls:
                if string.path[: len(call)] == call:
                    inner = string._replace(path=string.path[len(call) :])
                    edits += _shift(_edit_call_string(line, inner, rename), start)
        start += len(line) + 1
    return edits


def find_tool_edits(text: str, rename: Rename) -> list[Edit]:
    """Find the edits of a list of tool definitions; none if the file is not JSON."""
    try:
        tools = decode_json(text)
    except msgspec.DecodeError:
        return []
    if not isinstance(tools, list):
        return []
    numbers = {number for number, tool in enumerate(tools) if _get_tool_name(tool) == rename.skill}
    is_place = _is_skill_place if rename.parameter is None else _is_parameter_place
    return [
        _replace_string(string, rename.new)
        for string in list_strings(text)
        if string.value == rename.old
        and string.path[:1]
        and string.path[0] in numbers
        and is_place(string.path[1:], string.is_key)
    ]


def _is_skill_place(path: Path, is_key: bool) -> bool:
    return path == ("function", "name") and not is_key


def _is_parameter_place(path: Path, is_key: bool) -> bool:
    parents = ("function", "parameters")
    if is_key:
        return path[:-1] == (*parents, "properties")
    return path[:-1] == (*parents, "required")


def _get_tool_name(tool: object) -> object:
    function = tool.get("function") if isinstance(tool, dict) else None
    return function.get("name") if isinstance(function, dict) else None


def _list_calls(line: str, skill: str) -> list[Path]:
    """List the places of the calls of a skill in a line: the line itself, or items of its `calls`."""
    try:
        row = decode_json(line) if line.strip() else None
    except msgspec.DecodeError:
        return []
    if not isinstance(row, dict):
        return []
    calls = row.get("calls")
    places: list[tuple[Path, object]] = [
        ((), row),
        *((("calls", index), call) for index, call in enumerate(calls if isinstance(calls, list) else ())),
    ]
    return [place for place, call in places if isinstance(call, dict) and call.get("skill") == skill]


def _edit_call_string(line: str, string: JsonString, rename: Rename) -> Iterator[Edit]:
    """Edit a string of a call. string: its path begins at the call."""
    if rename.parameter is None:
        if string.path == ("skill",) and not string.is_key:
            yield _replace_string(string, rename.new)
        return
    if string.path == ("exemplar",) and not string.is_key:
        slot = re.compile(rf"<{re.escape(rename.parameter)}(?=[>.\[])")
        for match in slot.finditer(line, string.start, string.end):
            yield Edit(match.start() + 1, match.end(), rename.new)
        return
    is_name = string.is_key and string.path[:-1] == ("arguments",)
    is_span = string.is_key and string.path[:-1] == ("spans",)
    is_slot = not string.is_key and string.path[:1] == ("arguments",) and string.path[2:] == ("slot",)
    inside = string.value.removeprefix(rename.parameter)
    if (is_name and string.value == rename.parameter) or (
        (is_span or is_slot) and string.value.startswith(rename.parameter) and inside[:1] in ("", ".", "[")
    ):
        yield _replace_string(string, rename.new + inside)


def _replace_string(string: JsonString, new: str) -> Edit:
    return Edit(string.start, string.end, json.dumps(new, ensure_ascii=False))


def _shift(edits: Iterator[Edit], offset: int) -> list[Edit]:
    return [Edit(edit.start + offset, edit.end + offset, edit.new) for edit in edits]
