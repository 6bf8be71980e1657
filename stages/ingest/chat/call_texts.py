"""Calls that are written as text: JSON in tags, or Python's syntax in a list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.call_syntax import parse_call_text
from exemplars.core.documents import RepeatedKeyError, decode_json
from exemplars.core.errors import quote_text
from exemplars.core.records import Reason
from exemplars.core.value_syntax import NotACall, NotAValue
from stages.ingest.chat.conversations import Extent, FaultList, ToolCall, locate_call

_TAGGED: Final = re.compile(r"<tool_call>\s*(.*?)\s*(</tool_call>|\Z)", re.DOTALL)
_PYTHON_LIST: Final = re.compile(r"\s*\[\s*[^\W\d][\w .\-/]*\(.*\)\s*\]\s*", re.DOTALL)
_CALL_HEAD: Final = re.compile(r"([^\W\d][\w .\-/]*)\(")
_SEPARATORS: Final = re.compile(r"[\s,]*")
_STRING: Final = re.compile(r"'[^'\\]*+(?:\\.[^'\\]*+)*+'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"", re.DOTALL)
_OPENING: Final = {"(": ")", "[": "]", "{": "}"}


class TaggedText(NamedTuple):
    """A message that has calls in tags."""

    content: str
    """The text outside the tags."""
    calls: tuple[ToolCall, ...]


def read_call(value: Any, pointer: str, faults: FaultList) -> ToolCall | None:
    """Read a call from an object with `name` and `arguments`; `None`, with a fault, if it is no call.

    The arguments may be an object, or JSON text of an object.
    """
    if not isinstance(value, Mapping):
        expected = "a call with name and arguments"
        faults.add(pointer, Reason.MALFORMED_RECORD, describe_value(value), expected, extent=Extent.UNREAD)
        return None
    name = value.get("name")
    if not isinstance(name, str) or not name:
        expected = "the name of a function"
        faults.add(
            f"{pointer}/name", Reason.MALFORMED_RECORD, describe_value(name), expected, extent=Extent.UNREAD
        )
        return None
    raw = value.get("arguments", value.get("parameters", {}))
    text = raw if isinstance(raw, str) else None
    arguments = _read_arguments(raw, f"{pointer}/arguments", faults)
    return None if arguments is None else ToolCall(name, arguments, pointer, text)


def _read_arguments(raw: Any, pointer: str, faults: FaultList) -> Mapping[str, Any] | None:
    if raw is None:
        return {}
    value = raw
    if isinstance(raw, str):
        if not raw.strip():
            return {}
        try:
            value = decode_json(raw)
        except msgspec.DecodeError as error:
            flaw = "are not JSON" if not isinstance(error, RepeatedKeyError) else "have a key twice"
            faults.add(
                pointer,
                Reason.MALFORMED_RECORD,
                f"arguments that {flaw}, {quote_text(raw)} ({error})",
                "a JSON object",
                "correct the text",
                Extent.UNREAD,
            )
            return None
        if isinstance(value, str):
            faults.add(
                pointer,
                Reason.MALFORMED_RECORD,
                "arguments that are encoded twice: JSON text of JSON text",
                "JSON text of an object",
                "encode them once",
                Extent.UNREAD,
            )
            return None
    if not isinstance(value, Mapping):
        expected = "an object of arguments"
        faults.add(pointer, Reason.MALFORMED_RECORD, describe_value(value), expected, extent=Extent.UNREAD)
        return None
    return value


def read_json_calls(text: str, pointer: str, faults: FaultList, start: int = 0) -> tuple[ToolCall, ...]:
    """Read the JSON text of a call, or of a list of calls. start: the number of calls before it in the message."""
    try:
        value = decode_json(text)
    except msgspec.DecodeError as error:
        faults.add(
            locate_call(pointer, start),
            Reason.MALFORMED_RECORD,
            f"a call that is not JSON, {quote_text(text)} ({error})",
            "an object with name and arguments",
            "correct the text",
            Extent.UNREAD,
        )
        return ()
    values = value if isinstance(value, list) else [value]
    calls = (
        read_call(call, locate_call(pointer, start + index), faults) for index, call in enumerate(values)
    )
    return tuple(call for call in calls if call is not None)


def split_tagged_calls(text: str, pointer: str, faults: FaultList) -> TaggedText:
    """Split a message into its text and the calls that it has in `<tool_call>` tags."""
    calls: list[ToolCall] = []
    for index, match in enumerate(_TAGGED.finditer(text)):
        if not match[2]:
            faults.add(
                locate_call(pointer, index),
                Reason.MALFORMED_RECORD,
                f"a <tool_call> that is cut off, {quote_text(match[1])}",
                "</tool_call> after the call",
                extent=Extent.UNREAD,
            )
        else:
            calls += read_json_calls(match[1], pointer, faults, index)
    return TaggedText(_TAGGED.sub("", text).strip(), tuple(calls))


def is_call_list(text: str) -> bool:
    """Return whether a text is a list of calls in Python's syntax, such as `[f(a="x"), g()]`."""
    return _PYTHON_LIST.fullmatch(text) is not None


def read_call_list(text: str, pointer: str, faults: FaultList) -> tuple[ToolCall, ...]:
    """Read a list of calls in Python's syntax.

    >>> faults = FaultList()
    >>> [(call.name, call.arguments) for call in read_call_list('[Get Time(zone="CET", n=[1, 2])]', "", faults)]
    [('Get Time', {'zone': 'CET', 'n': [1, 2]})]
    """
    body = text.strip()[1:-1]
    calls: list[ToolCall] = []
    position = _skip_separators(body, 0)
    while position < len(body):
        head = _CALL_HEAD.match(body, position)
        end = _find_closing(body, head.end() - 1) if head else None
        arguments = None if head is None or end is None else _read_keywords(body[head.end() : end])
        if head is None or end is None or arguments is None:
            faults.add(
                locate_call(pointer, len(calls)),
                Reason.MALFORMED_RECORD,
                f"{quote_text(body[position : position + 100])}, which is not a call",
                "calls with literals, such as f(a=1)",
                extent=Extent.UNREAD,
            )
            return tuple(calls)
        calls.append(ToolCall(head[1].strip(), arguments, locate_call(pointer, len(calls))))
        position = _skip_separators(body, end + 1)
    return tuple(calls)


def _read_keywords(text: str) -> dict[str, Any] | None:
    """Read `a="x", b=[1, 2]`; names may be words that Python reserves. `None`: something else."""
    call = parse_call_text(f"f({_as_python(text)})")
    if isinstance(call, NotACall):
        return None
    arguments: dict[str, Any] = {}
    for name, value, *_ in call.arguments:
        if name is None or name in arguments or isinstance(value, NotAValue):
            return None
        arguments[name] = value
    return arguments


def _skip_separators(text: str, start: int) -> int:
    """Return the index of the first code point that is neither a comma nor white space."""
    match = _SEPARATORS.match(text, start)
    assert match is not None  # The pattern matches the empty string.
    return match.end()


def _as_python(text: str) -> str:
    """Write JSON's words as Python's, outside quotes."""
    words = {"true": "True", "false": "False", "null": "None"}
    pattern = rf"{_STRING.pattern}|\b(?:true|false|null)\b"
    return re.sub(pattern, lambda match: words.get(match[0], match[0]), text, flags=re.DOTALL)


def _find_closing(text: str, opening: int) -> int | None:
    """Find the bracket that closes the one at `opening`."""
    return next((index for index, depth in _scan(text, opening) if depth == 0), None)


def _scan(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield the index of each code point outside quotes, with the depth of brackets after it."""
    depth = 0
    index = start
    while index < len(text):
        if text[index] in "'\"" and (match := _STRING.match(text, index)):
            index = match.end()
            continue
        depth += (text[index] in _OPENING) - (text[index] in _OPENING.values())
        yield index, depth
        index += 1


def write_json(value: Any) -> str:
    """Write a result, or a call, that a row has as an object and others have as JSON text.

    >>> write_json({"rain": True, "wind": [3, "ö"]})
    '{"rain": true, "wind": [3, "ö"]}'
    """
    return json.dumps(value, ensure_ascii=False, default=str)


def describe_value(value: Any) -> str:
    """Describe a JSON value for a message.

    >>> describe_value([1]), describe_value("a"), describe_value(None)
    ("the list '[1]'", "the text 'a'", 'nothing')
    """
    if isinstance(value, str):
        return f"the text {quote_text(value)}"
    kinds = {bool: "the value", int: "the number", float: "the number", list: "the list"}
    if value is None:
        return "nothing"
    kind = kinds.get(type(value), "the object")
    return f"{kind} {quote_text(msgspec.json.encode(value, enc_hook=str).decode())}"
