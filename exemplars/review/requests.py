"""What the page sends."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from exemplars.core.reviews import DecisionId, Digest
from exemplars.review.edit_check import Edit

RowName = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]


class Choice(StrEnum):
    """What a reviewer says of a row."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EDITED = "edited"


class CheckRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ask the compiler about an edit."""

    row: RowName
    edit: Edit


class DecisionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Decide about a row."""

    decision_id: DecisionId
    """Chosen by the page, so that a request that is sent again is not saved again."""
    row: RowName
    digest: Digest
    """Of the row as it was shown."""
    decision: Choice
    queue: Annotated[str, msgspec.Meta(max_length=100)] = ""
    seen: DecisionId | None = None
    """This reviewer's decision about the row as the page knows it; a different one is that of another tab."""
    edit: Edit | None = None
    note: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    """What else the reviewer says of the row."""


class UndoRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Withdraw a decision."""

    decision_id: DecisionId
    """Of the line that withdraws it, chosen by the page."""
    withdraws: DecisionId
