"""Tombstones: what is to be erased, who decided it, and the key of their hashes.

A tombstone names a dialogue, a place, a value by its keyed hash, or a pattern. `ingest` erases the rows that it
matches; the ledger then has the place of each row and the keyed hash of its text, and nothing that was said.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.documents import RepeatedKeyError, decode_json
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.dataset.texts import make_erasure_key
from stages.ingest.patterns import LimitedPattern, PatternError
from stages.ingest.reading import lower_first

KEY_VARIABLE: Final = "EXEMPLARS_ERASURE_KEY"
MIN_KEY_LENGTH: Final = 16
CRITERIA: Final = ("dialogue", "place", "value", "pattern")
_FORMAT: Final = f"write a JSON object with id, one of {', '.join(CRITERIA)}, reviewer and reason"


class Tombstone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be erased, who decided it, and why. Exactly one of `CRITERIA` is given."""

    id: str
    dialogue: str | None = None
    """A group, such as `sgd:train/1_00000`, or the bare id of a dialogue."""
    place: str | None = None
    """A row id, or the beginning of some, up to a `/` or `#`: `skills:call.md#12`, `skills:call.md`."""
    value: str | None = None
    """`hash_with_key` of a value of up to six words, wherever it is said."""
    pattern: str | None = None
    """A Python regular expression, wherever it matches."""
    reviewer: str
    reason: str
    pending: dict[str, str] = {}
    """The pin of each row that is about to be redacted, by row id: `exemplars erase` writes it first, and moves it
    to `redacted` once the raw file is redacted."""
    redacted: dict[str, str] = {}
    """The pin of each row that is gone from the raw files, by row id; `exemplars erase` adds it.

    A pin is the keyed hash of the utterance; empty if the record could not be read.
    """
    unread: dict[str, list[str]] = {}
    """The keyed hashes of the texts of each record that could not be read, by row id: a purge looks for them in
    older versions of the raw file."""

    @property
    def rule(self) -> str:
        """The one of `CRITERIA` that is given."""
        return next(name for name in CRITERIA if getattr(self, name) is not None)

    @property
    def pins(self) -> dict[str, str]:
        """The pins of all rows that are redacted or about to be, by row id."""
        return {**self.pending, **self.redacted}


class Erasures(NamedTuple):
    """All tombstones, and the key of their hashes."""

    tombstones: tuple[Tombstone, ...] = ()
    key: bytes | None = None


def decode_tombstones(path: str, data: bytes) -> tuple[Tombstone, ...]:
    """Decode the tombstones of a file: JSON, one object per line.

    path: for messages. Raises `UserError` with everything that is wrong with any of them.
    """
    tombstones: list[Tombstone] = []
    problems: list[Diagnostic] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        if not line.strip():
            continue
        try:
            tombstone = decode_json(line, Tombstone)
        except RepeatedKeyError as error:
            problems.append(_describe_mistake(path, number, f"found {error}", "remove one of the two"))
            continue
        except msgspec.DecodeError as error:
            problems.append(_describe_mistake(path, number, lower_first(str(error)), _FORMAT))
            continue
        if tombstone.id in lines:
            first = lines[tombstone.id]
            summary = f"the id {tombstone.id!r} is already on line {first}"
            problems.append(_describe_mistake(path, number, summary, "give each tombstone its own id"))
        elif (mistake := _find_mistake(tombstone)) is not None:
            problems.append(_describe_mistake(path, number, *mistake))
        else:
            lines[tombstone.id] = number
            tombstones.append(tombstone)
    if problems:
        raise UserError(problems)
    return tuple(tombstones)


def encode_tombstones(tombstones: Sequence[Tombstone]) -> bytes:
    """Encode tombstones as JSON lines: the inverse of `decode_tombstones`."""
    return b"".join(msgspec.json.encode(tombstone) + b"\n" for tombstone in tombstones)


def read_key(environment: Mapping[str, str]) -> bytes | None:
    """Read the key from the environment; `None` if it is not set. Raises `UserError` if it is too short."""
    key = environment.get(KEY_VARIABLE, "")
    if not key:
        return None
    if len(key) < MIN_KEY_LENGTH:
        raise UserError([_no_key(f"{KEY_VARIABLE} has only {len(key)} characters")])
    return key.encode("utf-8")


def require_key(erasures: Erasures) -> bytes:
    """Return the key. Raises `UserError` if it is not set."""
    if erasures.key is None:
        raise UserError([_no_key(f"{KEY_VARIABLE} is not set, and a tombstone needs it")])
    return erasures.key


def hash_with_key(text: str, key: bytes) -> str:
    """Compute the HMAC-SHA256 of a text's `make_erasure_key`, in hexadecimal: without the key nobody can guess it.

    >>> key = b"at least 16 characters"
    >>> hash_with_key("Ada Byron", key) == hash_with_key("ada  byron!", key)
    True
    """
    # Of emoji or punctuation alone, no key is left.
    normalized = make_erasure_key(text) or text.strip()
    return hmac.digest(key, normalized.encode("utf-8", "surrogatepass"), "sha256").hex()


def compute_pin(text: str | None, key: bytes) -> str:
    """Compute the pin of a row's utterance; `None`: the record could not be read, and its pin is empty."""
    return "" if text is None else hash_with_key(text, key)


def _find_mistake(tombstone: Tombstone) -> tuple[str, str] | None:
    """Find what is wrong with a tombstone, and how to correct it; `None`: nothing."""
    given = [name for name in CRITERIA if getattr(tombstone, name) is not None]
    if len(given) != 1:
        return f"found {' and '.join(given) or 'none'} of {', '.join(CRITERIA)}, expected one", _FORMAT
    blank = [name for name in ("id", *given, "reviewer", "reason") if not getattr(tombstone, name).strip()]
    if blank:
        return f"the {blank[0]} is empty", "fill it in"
    if tombstone.value is not None and not re.fullmatch(r"[0-9a-f]{64}", tombstone.value):
        fix = "`exemplars erase --hash` prints the hash of a value"
        return f"the value {quote_text(tombstone.value)} is not a keyed hash", fix
    if tombstone.pattern is not None:
        try:
            if LimitedPattern(tombstone.pattern, f"tombstone {tombstone.id}").is_in(""):
                return f"the pattern {quote_text(tombstone.pattern)} matches every text", "narrow it"
        except PatternError as error:
            return f"the pattern {quote_text(tombstone.pattern)} is malformed: {error}", "correct it"
    return None


def _describe_mistake(path: str, line: int, summary: str, fix: str) -> Diagnostic:
    return Diagnostic(
        path=path,
        line=line,
        code="malformed_tombstone",
        found=summary,
        expected="a tombstone",
        fix=fix,
        summary=summary,
    )


def _no_key(summary: str) -> Diagnostic:
    return Diagnostic(
        path=str(layout.ERASURES),
        code="no_erasure_key",
        found=summary,
        expected=f"a secret of at least {MIN_KEY_LENGTH} characters",
        fix=f"export {KEY_VARIABLE}=…, a secret of at least {MIN_KEY_LENGTH} characters: always the same, "
        "and kept outside the project",
        summary=summary,
    )
