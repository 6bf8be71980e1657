"""Content hashes of files, rows and splits: SHA-256, in hexadecimal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from exemplars.core.records import Argument, Exemplar, Record

DIGEST_SIZE: Final = hashlib.sha256().digest_size
"""Bytes of a digest that is not written in hexadecimal."""
_DIGESTS_AT_ONCE: Final = 2**16
"""Digests of a split that are sorted in memory; of a larger one, a sixteenth at a time."""
_encode = msgspec.json.Encoder().encode
_encode_key = msgspec.msgpack.Encoder().encode


def hash_content(data: bytes) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def hash_to_int(data: bytes) -> int:
    """Hash bytes to an integer of 63 bits, which fits a column: for comparing texts without keeping them."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big") >> 1


def hash_row(row: Exemplar) -> str:
    """Hash the content of a row: the JSON array of utterance, speaker, context, skill, mode, arguments and reply.

    A row without a reply leaves it out. Origin, license, group and turn are not hashed, so the same content has the
    same digest everywhere.
    """
    return hash_meaning(row, row.arguments)


def hash_meaning(row: Record | Exemplar, arguments: tuple[Argument, ...]) -> str:
    """Hash the content of a row, as `hash_row` does, before it is an exemplar. arguments: those that it will have."""
    content = (row.utterance, row.speaker, row.context, row.skill, row.mode, arguments)
    return hashlib.sha256(_encode(content if row.reply is None else (*content, row.reply))).hexdigest()


def stamp_digest(row: Exemplar) -> Exemplar:
    """Return a row with the digest of its content."""
    return msgspec.structs.replace(row, digest=hash_row(row))


def hash_split(row_digests: Iterable[str]) -> str:
    r"""Compute the data hash of a set of rows: the SHA-256 of the sorted row digests, one per line.

    It depends neither on the order of the rows nor on how they are stored.

    >>> hash_split(["b", "a"]) == hash_content(b"a\nb\n")
    True
    """
    lines = "".join(f"{digest}\n" for digest in sorted(row_digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def hash_packed_split(read_digests: Callable[[], Iterable[bytes]], rows: int) -> str:
    """Compute `hash_split` of digests that need not fit into memory.

    read_digests: reads them in parts, each of digests of `DIGEST_SIZE` bytes, one after the other; of many digests, it
    is called once for each of 16 ranges of them. rows: the number of digests.

    >>> digests = [bytes(range(32)), bytes(range(32, 64))]
    >>> hash_packed_split(lambda: digests, 2) == hash_split(digest.hex() for digest in digests)
    True
    """
    import numpy as np  # Few commands that hash anything need it.

    width = 16 if rows > _DIGESTS_AT_ONCE else 256
    lines = hashlib.sha256()
    for start in range(0, 256, width):
        parts = []
        for data in read_digests():
            first_bytes = np.frombuffer(data, np.uint8)[::DIGEST_SIZE]
            is_in_range = (first_bytes >= start) & (first_bytes <= start + width - 1)
            parts.append(np.frombuffer(data, f"V{DIGEST_SIZE}")[is_in_range].tobytes())
        ordered = np.sort(np.frombuffer(b"".join(parts), f"S{DIGEST_SIZE}")).tobytes()
        if ordered:
            lines.update(f"{ordered.hex(chr(10), DIGEST_SIZE)}\n".encode())
    return lines.hexdigest()


def hash_to_key(content: Any) -> int:
    """Hash texts, numbers and lists of them as `hash_to_int` does bytes.

    Of a million contents, two have the same key once in 15 million times.

    >>> hash_to_key(["call mum", 1]) == hash_to_key(("call mum", 1))
    True
    """
    return hash_to_int(_encode_key(content))


def hash_to_fraction(text: str, salt: str) -> float:
    """Map a text to a number in [0, 1) that depends on `text` and `salt` only.

    Uses 53 bits of their SHA-256, as many as a float holds, so the number is the same on every machine.

    >>> hash_to_fraction("group", "salt")
    0.23579887105207764
    """
    digest = hashlib.sha256(f"{salt}\x00{text}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53
