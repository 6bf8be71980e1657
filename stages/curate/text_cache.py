"""What earlier runs found in texts, so that after an edit only new texts are looked at.

A copy of results and never a source: without it, or with one that is damaged or of other code, the outputs are the
same. It holds hashes of texts and offsets in them, and no text; `exemplars erase --purge` removes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

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
_CHECKSUM_BYTES: Final = 32

T = TypeVar("T")


class _Content(msgspec.Struct):
    key: str
    findings: dict[bytes, list[Finding]]
    flags: dict[bytes, tuple[QualityFlag, ...]]


class TextResults(Generic[T]):
    """Results of a function of texts, by the hash of the text: those of earlier runs, and those of this run."""

    def __init__(self, earlier: dict[bytes, T] | None = None) -> None:
        """earlier: results of earlier runs; those that this run does not ask for are forgotten."""
        self._earlier = earlier or {}
        self.used: dict[bytes, T] = {}

    def remember(self, compute: Callable[[str], T]) -> Callable[[str], T]:
        """Return a function that computes the result of a text unless it is known."""

        def recall(text: str) -> T:
            digest = hashlib.blake2b(
                text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES
            ).digest()
            if digest not in self.used:
                known = digest in self._earlier
                self.used[digest] = self._earlier[digest] if known else compute(text)
            return self.used[digest]

        return recall


class TextCache:
    """The results of all kinds, and what they depend on in addition to a text."""

    def __init__(self, key: str = "", content: _Content | None = None) -> None:
        """content: of an earlier run with the same key."""
        self.key = key
        self.findings: TextResults[list[Finding]] = TextResults(content.findings if content else None)
        """The personal data in a text."""
        self.flags: TextResults[tuple[QualityFlag, ...]] = TextResults(content.flags if content else None)
        """What is wrong with a text by itself."""


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
            decoded = msgspec.msgpack.decode(content, type=_Content)
            return TextCache(key, decoded if decoded.key == key else None)
    except (UserError, msgspec.DecodeError, UnicodeDecodeError):
        pass
    return TextCache(key)


def write_text_cache(cache: TextCache | None, path: Path = CACHE) -> None:
    """Write the results that this run used, if there are not too many, the project uses DVC, and the disk admits it."""
    if cache is None:
        return
    used = _Content(cache.key, cache.findings.used, cache.flags.used)
    if not path.parent.parent.is_dir() or max(len(used.findings), len(used.flags)) > MAX_RESULTS:
        return
    content = msgspec.msgpack.encode(used)
    try:
        write_bytes(path, hashlib.sha256(content).digest() + content)
    except OSError:
        return  # It is a copy: the next run computes everything again.
