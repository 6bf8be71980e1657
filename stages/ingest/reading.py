"""What every source format hands over, and the rows that all of them make alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.ids import make_row_id
from exemplars.core.records import Origin, Reason, Record, Rejection
from exemplars.dataset.catalog import Skill
from exemplars.dataset.recognizers import Recognizers


class SourceFacts(NamedTuple):
    """What the rows of a source have in common."""

    name: str
    license: str
    today: str | None = None
    """The date that relative dates refer to (ISO 8601)."""
    erased_groups: frozenset[str] = frozenset()
    """The dialogues that nothing is learned from: their rows are to be erased."""


class Reading(NamedTuple):
    """All that a source, or one of its files, holds: every record is in one of the first two."""

    records: tuple[Record, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    skills: tuple[Skill, ...] = ()
    recognizers: Recognizers = Recognizers()


def rejected(
    facts: SourceFacts,
    origin: Origin,
    reason: Reason,
    diagnostics: Iterable[Diagnostic],
    *,
    skill: str | None = None,
    slot: str | None = None,
    utterance: str | None = None,
    group: str | None = None,
) -> Rejection:
    """The ledger's row for a record that its reader could not take; all diagnostics in one message."""
    return Rejection(
        id=make_row_id(facts.name, origin),
        source=facts.name,
        stage="ingest",
        reason=reason,
        message="; ".join(str(one) for one in diagnostics),
        origin=origin,
        group=group or f"{facts.name}:{origin.path}",
        skill=skill,
        slot=slot,
        utterance=utterance,
    )


def decoded_bytes(path: str, data: bytes) -> bytes:
    """The bytes of a file without a byte order mark, all of them UTF-8.

    Raises `UserError` for a file that is empty or not UTF-8, with the byte.
    """
    text, unreadable = decoded_text(path, data)
    if text is None:
        raise UserError([unreadable] if unreadable else [])
    return text.encode()


def decoded_text(path: str, data: bytes) -> tuple[str | None, Diagnostic | None]:
    """The text of a file without a byte order mark, or what is wrong with it.

    Line ends stay as they are. Exactly one of the two is null.
    """
    if not data.strip():
        return None, Diagnostic(
            path=path,
            code="empty_file",
            byte=0,
            found="an empty file",
            expected="at least one record",
            fix="delete the file, or fill it",
        )
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        return None, Diagnostic(
            path=path,
            code="not_utf8",
            byte=start,
            found=f"byte {data[start]:#04x} {quote_text(error.reason)}",
            expected="UTF-8",
            fix="save the file as UTF-8 (for example with iconv -f latin1 -t utf-8)",
        )
