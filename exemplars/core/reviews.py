"""Decisions of people on rows: the lines of `data/raw/reviews.jsonl`, and what they amount to.

A decision is about a row as its reviewer saw it, which its digest names. The latest decision of each reviewer on that
content counts; decisions that another line withdraws do not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.documents import RepeatedKeyError, decode_json
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.files import read_file
from exemplars.core.records import REDACTED, Exemplar, Grounding, Mode

REVIEW_VERSION: Final = 1
"""The version of the lines of the file."""

_FORMAT: Final = "write a line as docs/review.md describes it, or remove the line"
_HEX: Final = "^[0-9a-f]{%d}$"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_PLACE: Final = layout.REVIEWS.as_posix()

DecisionId = Annotated[str, msgspec.Meta(pattern=_HEX % 32)]
Digest = Annotated[str, msgspec.Meta(pattern=_HEX % 64)]
RowContent = tuple[str, str]
"""The id of a row, and the digest of its content."""


class Decision(StrEnum):
    """What a reviewer decides."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EDITED = "edited"
    """The row is right as `after` has it."""
    WITHDRAWN = "withdrawn"
    """The decision that `withdraws` names does not count."""


class ReviewedArgument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An argument as a reviewer sees it, or wants it."""

    slot: str
    """The path of the leaf that it fills."""
    value: str
    """The canonical value, as in the row."""
    surface: str | None = None
    start: int | None = None
    """The span of the utterance in code points, end exclusive; `None`: the compiler looks for the value."""
    end: int | None = None
    grounding: Grounding | None = None
    """How the value is tied to the conversation; `None`: the compiler finds out."""


class ReviewedRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reviewer may change in a row."""

    utterance: str
    skill: str | None
    mode: Mode
    arguments: tuple[ReviewedArgument, ...] = ()


class Review(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision: a line of the file."""

    version: int = REVIEW_VERSION
    decision_id: DecisionId
    """32 hexadecimal digits, chosen at random."""
    row: str
    """The id of the row."""
    digest: Digest
    """The digest of the row as it was shown."""
    decision: Decision
    queue: str = ""
    """The list from which the row was shown."""
    before: ReviewedRow | None = None
    """The row as it was shown, if it was edited."""
    after: ReviewedRow | None = None
    """The row as the reviewer wants it, if it was edited."""
    withdraws: DecisionId | None = None
    """The decision that does not count anymore."""
    reviewer: str
    time: str
    """When it was decided, in UTC: `2026-11-27T20:00:00Z`."""
    note: str | None = None

    @property
    def is_redacted(self) -> bool:
        """Whether it is an edit whose content was erased on request, so that it does not count."""
        return self.after is not None and self.after.utterance == REDACTED

    @property
    def content(self) -> RowContent:
        """The row and the content that the decision is about."""
        return self.row, self.digest


class RowEdit(msgspec.Struct, frozen=True):
    """An edit of a row that `compile` has applied, or could not apply."""

    id: str
    """The id of the row."""
    decision_id: str
    """The earliest decision for it."""
    before: str
    """The digest of the row before the edit."""
    after: str | None
    """The digest of the row after the edit; `None`: the edit was not applied."""
    problem: str | None = None
    """Why it was not applied, as a sentence."""


class Resolution(NamedTuple):
    """The decisions that count on one content of a row."""

    decisions: tuple[Review, ...]
    """The latest of each reviewer, by name; at least one."""

    @property
    def agreed(self) -> Review | None:
        """The earliest of the decisions if all are the same; `None` if reviewers disagree."""
        if len({(review.decision, review.after) for review in self.decisions}) > 1:
            return None
        return min(self.decisions, key=lambda review: (review.time, review.decision_id))


def describe_row(exemplar: Exemplar) -> ReviewedRow:
    """Describe a row in the form that `before` and `after` have."""
    arguments = tuple(
        ReviewedArgument(
            argument.slot, argument.value, argument.surface, argument.start, argument.end, argument.grounding
        )
        for argument in exemplar.arguments
    )
    return ReviewedRow(exemplar.utterance, exemplar.skill, exemplar.mode, arguments)


def encode_review(review: Review) -> bytes:
    """Encode a decision as a line, with its line break."""
    return msgspec.json.encode(review) + b"\n"


class ReviewLines:
    """Lines of a file of decisions that were parsed one after the other: what a new line must go with."""

    def __init__(self, path: str = _PLACE) -> None:
        """path: of the file, for messages."""
        self.path = path
        self.reviews: dict[str, Review] = {}
        """The decisions, by id, in the order of the lines."""
        self._lines = 0

    def parse(self, line: bytes) -> Review | Diagnostic | None:
        """Parse the next line, and keep its decision; or describe what is wrong with it. `None`: it is empty."""
        self._lines += 1
        if not line.strip():
            return None
        review = _decode_review(line)
        if isinstance(review, Review):
            mistake = _find_mistake(review) or _find_contradiction(review, self.reviews)
            if mistake is None:
                self.reviews[review.decision_id] = review
                return review
            review = _Mistake("malformed_review", mistake[0], "a decision", mistake[1])
        return Diagnostic(path=self.path, line=self._lines, **review._asdict())


def parse_reviews(data: bytes, path: str = _PLACE) -> tuple[Review, ...]:
    """Parse the lines of a file of decisions; empty lines are skipped.

    path: for messages. Raises `UserError` with everything that is wrong with any line.
    """
    lines = ReviewLines(path)
    problems = [problem for line in data.split(b"\n") if isinstance(problem := lines.parse(line), Diagnostic)]
    if problems:
        raise UserError(problems)
    return tuple(lines.reviews.values())


def read_reviews(path: Path = layout.REVIEWS) -> tuple[Review, ...]:
    """Read the decisions of a project; none if it has no such file.

    Raises `UserError` if the file cannot be read, or with everything that is wrong with any line.
    """
    return parse_reviews(read_file(path), path.as_posix()) if os.path.lexists(path) else ()


def resolve_decisions(reviews: Iterable[Review]) -> dict[RowContent, Resolution]:
    """Resolve which decisions count, by row and content: of each reviewer the latest that is not withdrawn or redacted.

    reviews: in the order of the file, which decides between equal times.
    """
    reviews = list(reviews)
    withdrawn = {review.withdraws for review in reviews}
    withdrawn |= {
        review.decision_id
        for review in reviews
        if review.decision is Decision.WITHDRAWN or review.is_redacted
    }
    latest: dict[RowContent, dict[str, Review]] = {}
    for review in sorted(reviews, key=lambda review: review.time):
        if review.decision_id not in withdrawn:
            latest.setdefault(review.content, {})[review.reviewer] = review
    return {
        content: Resolution(tuple(decision for _, decision in sorted(by_reviewer.items())))
        for content, by_reviewer in sorted(latest.items())
    }


class _Mistake(NamedTuple):
    """The parts of a diagnostic."""

    code: str
    found: str
    expected: str
    fix: str


def _decode_review(line: bytes) -> Review | _Mistake:
    try:
        version = decode_json(line, dict[str, msgspec.Raw]).get("version")
        if version is not None and bytes(version) != b"%d" % REVIEW_VERSION:
            found = f"version {quote_text(bytes(version).decode())}"
            fix = "install the version of exemplars that wrote the line"
            return _Mistake("other_version", found, f"version {REVIEW_VERSION}", fix)
        return decode_json(line, Review)
    except RepeatedKeyError as error:
        return _Mistake("malformed_review", str(error), "a decision", "remove one of the two")
    except msgspec.ValidationError as error:
        return _Mistake("malformed_review", str(error), "a decision", _FORMAT)
    except msgspec.DecodeError as error:
        return _Mistake("malformed_review", f"a line that is not JSON ({error})", "a decision", _FORMAT)


def _find_mistake(review: Review) -> tuple[str, str] | None:
    """Find what is wrong with a line that has the right form, and how to correct it; `None`: nothing."""
    if not review.reviewer.strip():
        return "a decision without a reviewer", "name the reviewer"
    if not review.row.strip():
        return "a decision without a row", "name the row by its id"
    if not _TIME.fullmatch(review.time):
        return f"the time {quote_text(review.time)}", "write it as 2026-11-27T20:00:00Z"
    if (review.after is not None) is not (review.decision is Decision.EDITED):
        has = "without `after`" if review.after is None else "with `after`"
        return (
            f"the decision {review.decision.value!r} {has}",
            "`after` belongs to an edited row, and only there",
        )
    if (review.withdraws is not None) is not (review.decision is Decision.WITHDRAWN):
        has = "without `withdraws`" if review.withdraws is None else "with `withdraws`"
        fix = "`withdraws` names the decision that is withdrawn, and belongs only there"
        return f"the decision {review.decision.value!r} {has}", fix
    return None


def _find_contradiction(review: Review, earlier: Mapping[str, Review]) -> tuple[str, str] | None:
    """Find what of a line does not go with earlier lines, and how to correct it; `None`: all does.

    earlier: the decisions of earlier lines, by id.
    """
    if review.decision_id in earlier:
        return f"the decision_id {review.decision_id} a second time", "remove one of the two lines"
    if review.withdraws is None:
        return None
    withdrawn = earlier.get(review.withdraws)
    if withdrawn is None:
        found = f"it withdraws {review.withdraws}, which no earlier line has"
        return found, "correct `withdraws`, or remove the line"
    if withdrawn.reviewer != review.reviewer:
        found = f"{review.reviewer!r} withdraws a decision of {withdrawn.reviewer!r}"
        return found, "leave that to its reviewer, and decide on the row yourself"
    return None
