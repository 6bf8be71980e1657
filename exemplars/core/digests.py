"""Hashes: of files, of rows, of whole splits. All are SHA-256, in hexadecimal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from exemplars.core.records import Argument, Mode, Turn

_encode = msgspec.json.Encoder().encode


def hash_content(data: bytes) -> str:
    """The content hash of a file."""
    return hashlib.sha256(data).hexdigest()


def hash_row(
    utterance: str,
    context: tuple[Turn, ...],
    skill: str | None,
    mode: Mode,
    arguments: tuple[Argument, ...],
) -> str:
    """The hash of a row's content: of the JSON array of the five parameters, in this order.

    The row's origin, licence and group have no part in it: the same content anywhere has the same
    digest.
    """
    return hashlib.sha256(_encode((utterance, context, skill, mode, arguments))).hexdigest()


def hash_split(row_digests: Iterable[str]) -> str:
    """The data hash of a set of rows: SHA-256 over the sorted row digests, one a line.

    It depends neither on the order of the rows nor on how they are stored.
    """
    lines = "".join(f"{digest}\n" for digest in sorted(row_digests))
    return hashlib.sha256(lines.encode("ascii")).hexdigest()


def stable_fraction(text: str, salt: str) -> float:
    """A number in [0, 1) that depends on `text` and `salt` alone: 53 bits of their SHA-256."""
    digest = hashlib.sha256(f"{salt}\x00{text}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53
