"""What the readers of all source formats share: what they know of a source, and what they return."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final, NamedTuple

import msgspec

from exemplars.core.documents import RepeatedKeyError
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.files import MAX_RECORD_BYTES
from exemplars.core.ids import make_row_id
from exemplars.core.ledger import Problem, UnreadRecord, reject_row
from exemplars.core.records import Origin, Reason, Record, Rejection
from exemplars.dataset.catalog import Skill
from exemplars.dataset.recognizers import Recognizers
from exemplars.dataset.texts import has_text

STAGE: Final = "ingest"
"""The name of this stage in the ledger."""
Offset = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
"""An offset in code points that a table can hold; whether it is within the text is checked later."""
_BYTE: Final = re.compile(r"byte (\d+)")


class SourceInfo(NamedTuple):
    """What the rows of a source have in common."""

    name: str
    license: str
    today: str | None = None
    """The date that relative dates refer to (ISO 8601)."""
    erased_groups: frozenset[str] = frozenset()
    """Dialogues whose rows will be erased: nothing is learned from them."""

    def make_group(self, name: str) -> str:
        """Build the group of rows that a split must keep together: `<source>:<name>`."""
        return f"{self.name}:{name}"


class Reading(NamedTuple):
    """All that a source, or one of its files, holds: every record is in one of the first two."""

    records: tuple[Record, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    skills: tuple[Skill, ...] = ()
    recognizers: Recognizers = Recognizers()


def make_unread(
    source: SourceInfo,
    origin: Origin,
    *,
    skill: str | None = None,
    utterance: str | None = None,
    group: str | None = None,
) -> UnreadRecord:
    """Describe a record that cannot be read. group: as a row has it; `None`: the group of its file."""
    return UnreadRecord(
        id=make_row_id(source.name, origin),
        source=source.name,
        group=group or source.make_group(origin.path),
        origin=origin,
        skill=skill,
        utterance=utterance,
    )


def collect_rows(rows: Iterable[Record | Rejection]) -> Reading:
    """Collect rows into a reading: records and rejections, each in the order given.

    A record whose utterance says nothing, not even a sign, is rejected.
    """
    rows = [
        row if isinstance(row, Rejection) or has_text(row.utterance) else _reject_blank(row) for row in rows
    ]
    return Reading(
        tuple(row for row in rows if isinstance(row, Record)),
        tuple(row for row in rows if isinstance(row, Rejection)),
    )


def _reject_blank(record: Record) -> Rejection:
    found = f"the utterance {quote_text(record.utterance)}"
    problem = Problem(
        Reason.MALFORMED_RECORD, found, "what is said, as text", "fill it in, or remove the record"
    )
    return reject_row(record, STAGE, [problem])


def make_problem(diagnostic: Diagnostic, reason: Reason) -> Problem:
    """Turn a diagnostic into a problem for the ledger, with the same place and sentence."""
    return Problem(
        reason,
        diagnostic.found,
        diagnostic.expected,
        diagnostic.fix,
        summary=diagnostic.summary,
        place=diagnostic.place,
    )


def decode_text(path: str, data: bytes) -> str:
    """Decode a file as UTF-8, without a byte order mark; line ends stay as they are.

    path: for messages. Raises `UserError` with the byte offset if the file is empty or not UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        problem = Diagnostic(
            path=path,
            code="not_utf8",
            byte=start,
            found=f"byte {data[start]:#04x} {quote_text(error.reason)}",
            expected="UTF-8",
            fix="save the file as UTF-8 (for example with iconv -f latin1 -t utf-8)",
        )
        raise UserError([problem]) from None
    if not text or text.isspace():
        problem = Diagnostic(
            path=path,
            code="empty_file",
            byte=0,
            found="an empty file",
            expected="at least one record",
            fix="delete the file, or fill it",
        )
        raise UserError([problem])
    return text


def decode_bytes(path: str, data: bytes) -> bytes:
    """Return the bytes of a UTF-8 file without its byte order mark; errors as in `decode_text`."""
    return decode_text(path, data).encode()


def describe_json_error(path: str, data: bytes, error: msgspec.DecodeError, expected: str) -> Diagnostic:
    """Describe a file that is not JSON of the expected form, with the place where it goes wrong."""
    if isinstance(error, RepeatedKeyError):
        problem = describe_repeated_key(error)
        return Diagnostic(
            path=path,
            code="repeated_key",
            line=error.line,
            column=error.column,
            found=problem.found,
            expected=problem.expected,
            fix=problem.fix,
        )
    if isinstance(error, msgspec.ValidationError):
        code, byte = "wrong_shape", 0
        fix = "correct the document, or leave the file out"
    else:
        code = "not_json"
        match = _BYTE.search(str(error))
        byte = int(match[1]) if match else len(data)
        fix = "fetch or write the file again: it is cut short or damaged"
    message = lower_first(str(error))
    return Diagnostic(
        path=path,
        code=code,
        byte=byte,
        found=message,
        expected=expected,
        fix=fix,
        summary=f"not {expected}: {message}",
    )


def describe_repeated_key(error: RepeatedKeyError, place: str = "") -> Problem:
    """Describe a key that an object has twice, for the ledger. place: if it is known more precisely than the row's."""
    return Problem(
        Reason.MALFORMED_RECORD,
        found=str(error),
        expected="each key once",
        fix="remove one of the two",
        place=place,
    )


def find_oversize(text: str) -> Problem | None:
    """Find that a record is too large to be parsed: its text is then not kept, either."""
    if len(text) <= MAX_RECORD_BYTES and (text.isascii() or len(text.encode()) <= MAX_RECORD_BYTES):
        return None
    expected = f"at most {MAX_RECORD_BYTES:,} bytes"
    return Problem(Reason.TOO_LONG, f"a record of {len(text):,} characters", expected, "shorten or divide it")


def lower_first(sentence: str) -> str:
    """Lower the first letter of a sentence, to put it inside another, unless it begins an acronym.

    >>> lower_first("Input data was truncated"), lower_first("JSON is malformed")
    ('input data was truncated', 'JSON is malformed')
    """
    return sentence if sentence[1:2].isupper() else sentence[0].lower() + sentence[1:]
