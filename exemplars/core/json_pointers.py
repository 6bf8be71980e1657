"""JSON Pointers (RFC 6901): `/dishes/0/a~1b`."""

from __future__ import annotations


def escape_key(key: str) -> str:
    """Escape a key of an object for a JSON Pointer.

    >>> escape_key("a/b~c")
    'a~1b~0c'
    """
    return key.replace("~", "~0").replace("/", "~1")


def split_pointer(pointer: str) -> list[str]:
    """Split a JSON Pointer into the keys and indexes that it names.

    >>> split_pointer("/dishes/0/a~1b~0c"), split_pointer("")
    (['dishes', '0', 'a/b~c'], [])
    """
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]
