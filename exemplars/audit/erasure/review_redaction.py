"""The decisions of reviewers whose lines say what is to be erased, and their redaction.

A redacted line keeps its row, digest, decision, reviewer and time. An edit whose line is redacted does not count any
more: what it made of the row is not known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.files import read_file
from exemplars.core.records import REDACTED, Mode
from exemplars.core.reviews import Review, ReviewedRow, encode_review, parse_reviews
from stages.ingest.tombstone_matching import make_text_matcher
from stages.ingest.tombstones import Erasures

_ERASED: Final = ReviewedRow(REDACTED, None, Mode.NONE)


class ReviewMatches(NamedTuple):
    """The decisions that say what is to be erased."""

    ids: frozenset[str] = frozenset()
    """The ids of the decisions."""
    tombstones: frozenset[str] = frozenset()
    """The ids of the tombstones whose pattern or value they match."""

    @property
    def files(self) -> frozenset[str]:
        """The file that has them, relative to the project's root."""
        return frozenset([layout.REVIEWS.as_posix()] if self.ids else [])


def find_reviews(
    root: Path, erasures: Erasures, rows: Collection[str], holds_text: Callable[[bytes], object]
) -> ReviewMatches:
    """Find the decisions about erased rows that have a text, and those that say something that is to be erased.

    rows: the ids of the erased rows. holds_text: whether a document has one of their texts.
    Raises `UserError` if a line of the file is broken.
    """
    match_text = make_text_matcher(erasures)
    found: set[str] = set()
    tombstones: set[str] = set()
    for review in parse_reviews(read_reviews_file(root)):
        texts = list(_list_texts(review))
        rules = {tombstone.id for text in texts if (tombstone := match_text(text)) is not None}
        if rules or (texts and (review.row in rows or holds_text(encode_review(review)))):
            found.add(review.decision_id)
            tombstones |= rules
    return ReviewMatches(frozenset(found), frozenset(tombstones))


def redact_reviews(data: bytes, ids: Collection[str]) -> bytes:
    """Redact decisions in the bytes of their file; all other lines stay as they are. ids: of the decisions."""
    if not ids:
        return data
    lines = data.split(b"\n")
    reviews = iter(parse_reviews(data))
    for number, line in enumerate(lines):
        if line.strip():
            review = next(reviews)
            if review.decision_id in ids:
                lines[number] = encode_review(_redact_review(review)).removesuffix(b"\n")
    return b"\n".join(lines)


def read_reviews_file(root: Path) -> bytes:
    """Read the bytes of the file of decisions; empty if there is no such file."""
    path = root / layout.REVIEWS
    return read_file(path) if os.path.lexists(path) else b""


def _list_texts(review: Review) -> Iterator[str]:
    """List what a decision says that was said, or may have been: not the names of skills and slots."""
    if review.note:
        yield review.note
    for row in (review.before, review.after):
        if row is not None and row.utterance != REDACTED:
            yield row.utterance
            for argument in row.arguments:
                yield from (argument.value, *([argument.surface] if argument.surface else []))


def _redact_review(review: Review) -> Review:
    return msgspec.structs.replace(
        review,
        before=None if review.before is None else _ERASED,
        after=None if review.after is None else _ERASED,
        note=None,
    )
