"""JSON documents that a user wrote, decoded within bounds of depth."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any, Final, TypeVar, overload

import msgspec

T = TypeVar("T")

MAX_DEPTH: Final = 100
"""The greatest depth of nested lists and objects: what reads a document is recursive."""


@overload
def decode_json(data: bytes | str) -> Any: ...
@overload
def decode_json(data: bytes | str, type_: type[T]) -> T: ...
def decode_json(data: bytes | str, type_: Any = Any) -> Any:
    """Decode a JSON document into a value of `type_`, at most `MAX_DEPTH` levels deep.

    Raises `msgspec.DecodeError` for all that is wrong with it, bytes that are not UTF-8 included.

    >>> decode_json(b'{"a": [1, 2]}', dict[str, list[int]])
    {'a': [1, 2]}
    """
    return decode_with(lambda text: msgspec.json.decode(text, type=type_), data)


def decode_with(decode: Callable[[bytes | str], T], data: bytes | str) -> T:
    """Decode a JSON document with a decoder's method `decode`; bounds and errors as in `decode_json`."""
    try:
        value = decode(data)
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"JSON is malformed: text that is not UTF-8 ({error.reason})") from None
    if isinstance(value, (dict, list)) and _is_deep(value):
        raise _too_deep()
    return value


def find_repeated_key(text: str) -> str | None:
    """Find a key that an object of a valid JSON document has twice: decoders take the last without a word.

    >>> find_repeated_key('{"a": {"b": 1, "b": 2}}')
    'b'
    """
    repeated: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                repeated.append(key)
            seen.add(key)

    with contextlib.suppress(ValueError, RecursionError):  # An integer of thousands of digits.
        json.loads(text, object_pairs_hook=collect)
    return repeated[0] if repeated else None


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
