"""JSON documents that a user wrote, decoded within bounds of depth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar, overload

import msgspec

from exemplars.core.errors import quote_text

T = TypeVar("T")

MAX_DEPTH: Final = 100
"""The greatest depth of nested lists and objects: what reads a document is recursive."""
_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}:]', re.DOTALL)
"""The parts of a valid document that show its keys: strings, braces and colons."""


class RepeatedKeyError(msgspec.DecodeError):
    """A key that one object has twice: which of its values is meant cannot be known."""

    def __init__(self, key: str, line: int, column: int) -> None:
        """line, column: of the second key, from 1, `column` in code points."""
        super().__init__(f"the key {quote_text(key)} twice in one object")
        self.key, self.line, self.column = key, line, column


@overload
def decode_json(data: bytes | str) -> Any: ...
@overload
def decode_json(data: bytes | str, type_: type[T]) -> T: ...
def decode_json(data: bytes | str, type_: Any = Any) -> Any:
    """Decode a JSON document into a value of `type_`, at most `MAX_DEPTH` levels deep.

    Raises `msgspec.DecodeError` for all that is wrong with it, bytes that are not UTF-8 included, and
    `RepeatedKeyError` if an object has a key twice.

    >>> decode_json(b'{"a": [1, 2]}', dict[str, list[int]])
    {'a': [1, 2]}
    """
    return decode_with(lambda text: msgspec.json.decode(text, type=type_), data)


def decode_with(
    decode: Callable[[bytes | str], T], data: bytes | str, *, allow_repeated_keys: bool = False
) -> T:
    """Decode a JSON document with a decoder's method `decode`; bounds and errors as in `decode_json`."""
    try:
        value = decode(data)
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"JSON is malformed: text that is not UTF-8 ({error.reason})") from None
    if isinstance(value, (dict, list)) and _is_deep(value):
        raise _too_deep()
    if not allow_repeated_keys and may_repeat_keys(data):
        repeated = find_repeated_key(data if isinstance(data, str) else bytes(data).decode())
        if repeated is not None:
            raise repeated
    return value


def may_repeat_keys(data: bytes | str) -> bool:
    """Return whether an object of a valid JSON document may have a key twice; `False`: none has.

    It takes a tenth of the time of a hook on every object.
    """
    try:
        encoded = msgspec.json.encode(msgspec.json.decode(data))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return True
    return not keeps_all_keys(data if isinstance(data, (bytes, str)) else bytes(data), encoded)


def keeps_all_keys(data: bytes | str, encoded: bytes) -> bool:
    """Return whether a JSON document that was decoded and encoded again has all its keys, so that none was there twice.

    A decoder drops the first of two equal keys with its colon. All other colons come through, unless they are
    written as an escape.

    >>> keeps_all_keys('{"a": 1, "b": 2}', b'{"a":1,"b":2}'), keeps_all_keys('{"a": 1, "a": 2}', b'{"a":2}')
    (True, False)
    """
    if isinstance(data, str):
        return data.count(":") == encoded.count(b":") and "\\u003" not in data
    # Most files have no escape at all, which is faster to find out.
    has_escape = b"\\" in data and b"\\u003" in data
    return not has_escape and data.count(b":") == encoded.count(b":")


def find_repeated_key(text: str) -> RepeatedKeyError | None:
    """Find the first key that an object of a valid JSON document has twice: decoders take the last without a word.

    >>> find_repeated_key('{"a": {"b": 1,\\n"b": 2}}')
    RepeatedKeyError("the key 'b' twice in one object")
    """
    objects: list[set[str]] = []
    string = None
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{":
                objects.append(set())
            case "}":
                objects.pop()
            case ":" if string is not None:
                key = json.loads(string[0])
                if key in objects[-1]:
                    line = text.count("\n", 0, string.start()) + 1
                    return RepeatedKeyError(key, line, string.start() - text.rfind("\n", 0, string.start()))
                objects[-1].add(key)
            case _:
                string = token
    return None


def _too_deep() -> msgspec.DecodeError:
    return msgspec.DecodeError(f"JSON is nested more than {MAX_DEPTH} levels deep")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True
