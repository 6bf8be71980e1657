"""What earlier runs found in texts, so that after an edit only new texts are looked at.

A copy of results and never a source: without it, or with one that is damaged or of other code, the outputs are the
same. It holds hashes of texts and offsets in them, and no text; `exemplars erase --purge` removes it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec
import numpy as np

from exemplars.core.arrays import sort_unique
from exemplars.core.code_version import hash_stage_code
from exemplars.core.errors import UserError
from exemplars.core.files import read_file, write_bytes
from stages.curate.lexicons import Lexicons
from stages.curate.params import CurateParams, QualityFlag
from stages.curate.privacy.findings import Finding

CACHE: Final = Path(".dvc/tmp/exemplars/curate.cache")
MAX_RESULTS: Final = 1_000_000
"""Results of each kind that are kept: about 40 MB."""
_PACKAGES: Final = ("phonenumbers", "presidio-analyzer", "py3langid", "pyspellchecker", "regex", "spacy")
"""Packages that results depend on."""
_DIGEST_BYTES: Final = 16
_DIGEST_TYPE: Final = np.dtype(f"S{_DIGEST_BYTES}")
_CHECKSUM_BYTES: Final = 32

T = TypeVar("T")


class Results(msgspec.Struct, Generic[T], frozen=True):
    """Results of a function of texts, by the hash of the text; most texts have an empty one."""

    empty: bytes = b""
    """The hashes of the texts whose result is empty, one after the other, sorted."""
    found: dict[bytes, T] = {}
    """The other results."""

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.empty) // _DIGEST_BYTES + len(self.found)


def join_results(parts: Iterable[Results[T]]) -> Results[T]:
    """Put results of several lists of texts together, each text once."""
    parts = list(parts)
    hashes = np.frombuffer(b"".join(part.empty for part in parts), _DIGEST_TYPE)
    return Results(
        sort_unique(hashes).tobytes(), {key: value for part in parts for key, value in part.found.items()}
    )


class Recall(Generic[T]):
    """A function of texts that computes the result of a text unless it is known."""

    def __init__(self, compute: Callable[[str], T], known: Results[T], empty: T) -> None:
        """known: the results of earlier runs. empty: the result of most texts."""
        self._compute = compute
        self._empty = empty
        self._known = known
        self._used: dict[bytes, T] = {}

    def __call__(self, text: str) -> T:
        """Return the result of a text."""
        digest = hashlib.blake2b(
            text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES
        ).digest()  # fmt: skip
        if digest not in self._used:
            self._used[digest] = self._recall(digest, text)
        return self._used[digest]

    def _recall(self, digest: bytes, text: str) -> T:
        if digest in self._known.found:
            return self._known.found[digest]
        return self._empty if self._is_known_empty(digest) else self._compute(text)

    def _is_known_empty(self, digest: bytes) -> bool:
        empty = self._known.empty
        if not empty:
            return False

        def read(index: int) -> bytes:
            return empty[index * _DIGEST_BYTES : (index + 1) * _DIGEST_BYTES]

        # NumPy would take ten times as long for a single digest.
        return read(bisect_left(range(len(empty) // _DIGEST_BYTES), digest, key=read)) == digest

    def list_used(self) -> Results[T]:
        """List the results that were asked for; the others are forgotten."""
        empty = sorted(digest for digest, result in self._used.items() if not result)
        found = {digest: result for digest, result in self._used.items() if result}
        return Results(b"".join(empty), found)


class TextCache(msgspec.Struct, frozen=True):
    """The results of all kinds, and what they depend on in addition to a text."""

    key: str = ""
    findings: Results[list[Finding]] = Results()
    """The personal data in a text."""
    flags: Results[tuple[QualityFlag, ...]] = Results()
    """What is wrong with a text by itself."""


def join_caches(key: str, parts: Iterable[TextCache]) -> TextCache:
    """Put the results of several lists of texts together."""
    parts = list(parts)
    return TextCache(
        key, join_results(part.findings for part in parts), join_results(part.flags for part in parts)
    )


class CacheCollector:
    """Collects the results of all row groups, unless there are more than are kept: then it forgets them."""

    def __init__(self, key: str) -> None:
        """key: see `TextCache`."""
        self._key = key
        self._parts: list[TextCache] = []
        self._results = 0

    def add(self, part: TextCache) -> None:
        """Add the results of a row group; a text of two row groups counts twice."""
        self._results += max(len(part.findings), len(part.flags))
        self._parts = [*self._parts, part] if self._results <= MAX_RESULTS else []

    def join(self) -> TextCache | None:
        """Put the results together; `None` if there are too many."""
        return join_caches(self._key, self._parts) if self._results <= MAX_RESULTS else None


def make_cache_key(params: CurateParams, lexicons: Lexicons) -> str:
    """Make the key of results: a hash of all that they depend on except texts."""
    versions = [version(name) for name in _PACKAGES]
    parts = (hash_stage_code("curate"), versions, params.quality, params.privacy.min_score, lexicons.names)
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def read_text_cache(key: str, path: Path = CACHE) -> TextCache:
    """Read the results of earlier runs; none if there is no file, or if it is damaged or has another key."""
    try:
        data = read_file(path)
        checksum, content = data[:_CHECKSUM_BYTES], data[_CHECKSUM_BYTES:]
        if hashlib.sha256(content).digest() == checksum:
            cache = msgspec.msgpack.decode(content, type=TextCache)
            return cache if cache.key == key else TextCache(key)
    except (UserError, msgspec.DecodeError, UnicodeDecodeError):
        pass
    return TextCache(key)


def write_text_cache(cache: TextCache | None, path: Path = CACHE) -> None:
    """Write the results of this run, if they are not too many, the project uses DVC, and the disk admits it."""
    if cache is None or not path.parent.parent.is_dir():
        return
    content = msgspec.msgpack.encode(cache)
    try:
        write_bytes(path, hashlib.sha256(content).digest() + content)
    except OSError:
        return  # It is a copy: the next run computes everything again.
