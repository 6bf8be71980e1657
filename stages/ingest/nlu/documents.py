"""The texts and JSON documents of NLU files: one damaged record does not hide the others."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from exemplars.core.documents import RepeatedKeyError, decode_json, decode_with, keeps_all_keys
from exemplars.core.errors import UserError, quote_text
from exemplars.core.json_pointers import escape_key
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.ingest.nlu.examples import Flaw
from stages.ingest.reading import (
    decode_text,
    describe_json_error,
    describe_repeated_key,
    find_oversize,
    lower_first,
)

T = TypeVar("T")

_SURROGATE_PAIR: Final = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


class Text(NamedTuple):
    """The text of a file."""

    text: str
    is_damaged: bool = False
    """Whether some bytes are not UTF-8: U+FFFD replaces them."""


class Document:
    """A JSON file whose records are decoded one by one: one that does not have its form is a problem of its own."""

    def __init__(self, path: str, text: str) -> None:
        """path: for messages. text: of the whole file."""
        self.path = path
        self._data = text.encode()

    def decode(self, type_: type[T], expected: str) -> T:
        """Decode the whole file. expected: what it should be. Raises `UserError` if it is something else."""
        try:
            return _decode_outside(self._data, type_)
        except msgspec.DecodeError as error:
            raise UserError([describe_json_error(self.path, self._data, error, expected)]) from None

    def list_flaws(self) -> list[Flaw]:
        """List the keys that the outermost object has twice: of each, only the last value can be read."""
        return [
            Flaw(f"/{escape_key(key)}", describe_repeated_key(RepeatedKeyError(key, 1, 1)))
            for key in _list_repeated_keys(self._data)
        ]

    def decode_part(self, raw: msgspec.Raw, type_: type[T]) -> T | Problem:
        """Decode a part that holds records as `msgspec.Raw`; or describe why it does not have its form."""
        try:
            return _decode_outside(bytes(raw), type_)
        except msgspec.DecodeError as error:
            return _describe_malformed(bytes(raw).decode(), error)

    def decode_record(self, raw: msgspec.Raw, type_: type[T]) -> T | Problem:
        """Decode a record; or describe why it does not have its form."""
        text = bytes(raw).decode()
        oversize = find_oversize(text)
        if oversize is not None:
            return oversize
        try:
            return decode_json(text, type_)
        except RepeatedKeyError as error:
            return describe_repeated_key(error)
        except msgspec.DecodeError as error:
            return _describe_malformed(text, error)


def _decode_outside(data: bytes, type_: type[T]) -> T:
    """Decode what holds records: their own keys are checked when they are decoded."""
    return decode_with(lambda text: msgspec.json.decode(text, type=type_), data, allow_repeated_keys=True)


def _describe_malformed(text: str, error: msgspec.DecodeError) -> Problem:
    found = f"{lower_first(str(error))} in {quote_text(text)}"
    return Problem(Reason.MALFORMED_RECORD, summary=found, fix="correct the record")


def _list_repeated_keys(data: bytes) -> list[str]:
    """List the keys that the outermost object of a valid document has twice."""
    try:
        members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:  # It is not an object.
        return []
    if keeps_all_keys(data, msgspec.json.encode(members)):
        return []
    last: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> None:
        nonlocal last
        last = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]

    with contextlib.suppress(ValueError, RecursionError):  # An integer of thousands of digits.
        json.loads(data, object_pairs_hook=collect)  # The outermost object is the last that is complete.
    return last


def decode_leniently(path: str, data: bytes) -> Text:
    r"""Decode a file as UTF-8; bytes that are not become U+FFFD, so that the other examples can be read.

    Pairs of surrogates that were encoded one by one (CESU-8, as Java writes them) become the character that they mean.
    Raises `UserError` if the file is empty or UTF-16.

    >>> decode_leniently("a.yml", b"pizza \xed\xa0\xbc\xed\xbd\x95")
    Text(text='pizza 🍕', is_damaged=False)
    """
    try:
        return Text(decode_text(path, data))
    except UserError as error:
        if data.startswith(_UTF_16):
            fix = "save the file as UTF-8 (for example with iconv -f utf-16 -t utf-8)"
            problems = [msgspec.structs.replace(problem, fix=fix) for problem in error.diagnostics]
            raise UserError(problems) from None
        if not data.strip() or b"\x00" in data[:64]:
            raise
    joined = _SURROGATE_PAIR.sub(_join_surrogates, data)
    try:
        return Text(joined.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Text(joined.decode("utf-8-sig", "replace"), is_damaged=True)


def _join_surrogates(match: re.Match[bytes]) -> bytes:
    pair = match[0].decode("utf-8", "surrogatepass")
    return pair.encode("utf-16", "surrogatepass").decode("utf-16").encode()
