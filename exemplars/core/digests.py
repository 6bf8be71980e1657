"""Content hashes of files, rows and splits: SHA-256, in hexadecimal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from exemplars.core.records import Argument, Mode, Turn

_encode = msgspec.json.Encoder().encode


def hash_content(data: bytes) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def hash_row(
    utterance: str,
    context: tuple[Turn, ...],
    skill: str | None,
    mode: Mode,
    arguments: tuple[Argument, ...],
) -> str:
    """Hash the content of a row: the JSON array of the five parameters, in this order.

    The row's origin, license and group are not hashed, so the same content has the same digest everywhere.
    """
    return hashlib.sha256(_encode((utterance, context, skill, mode, arguments))).hexdigest()


def hash_split(row_digests: Iterable[str]) -> str:
    r"""Compute the data hash of a set of rows: the SHA-256 of the sorted row digests, one per line.

    It depends neither on the order of the rows nor on how they are stored.

    >>> hash_split(["b", "a"]) == hash_content(b"a\nb\n")
    True
    """
    lines = "".join(f"{digest}\n" for digest in sorted(row_digests))
    return hashlib.sha256(lines.encode("ascii")).hexdigest()


def hash_to_fraction(text: str, salt: str) -> float:
    """Map a text to a number in [0, 1) that depends on `text` and `salt` only.

    Uses 53 bits of their SHA-256, as many as a float holds, so the number is the same on every machine.

    >>> hash_to_fraction("group", "salt")
    0.23579887105207764
    """
    digest = hashlib.sha256(f"{salt}\x00{text}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53
