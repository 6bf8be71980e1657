"""The decisions of reviewers about rows, and the digests that a row had before their edits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import msgspec
import polars as pl

from exemplars.audit.lineage.tables import filter_rows
from exemplars.audit.revisions import Revision
from exemplars.core import layout
from exemplars.core.reviews import Decision, Review, parse_reviews, resolve_decisions

_EDIT: Final = ("id", "decision_id", "before", "after", "problem")


def read_row_reviews(revision: Revision, ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Read the decisions about some rows, by row id, in the order of the file.

    Each has the fields of its line, and `counts`: whether it is the latest of its reviewer on that content and is not
    withdrawn. Raises `UserError` if a line is broken.
    """
    reviews = parse_reviews(revision.read_file(layout.REVIEWS.as_posix()) or b"")
    counted = {
        review.decision_id
        for resolution in resolve_decisions(reviews).values()
        for review in resolution.decisions
    }
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for review in reviews:
        if review.row in ids:
            found[review.row].append({**_list_fields(review), "counts": review.decision_id in counted})
    return found


def read_edits(revision: Revision, where: pl.Expr) -> list[dict[str, Any]]:
    """Read the edits of reviewers that `compile` applied, or could not apply: `RowEdit`, for which `where` holds."""
    return filter_rows(revision, layout.EDITS, _EDIT, where)


def read_editors(revision: Revision, rows: Mapping[str, str]) -> dict[str, list[str]]:
    """Read who edited some rows into what they are: the names of the reviewers, by row id.

    rows: the digest of each row, by its id. Raises `UserError` if a line of the decisions is broken.
    """
    edits = [
        edit
        for edit in read_edits(revision, pl.col("id").is_in(list(rows)))
        if edit["after"] == rows[edit["id"]]
    ]
    reviews = read_row_reviews(revision, {edit["id"] for edit in edits}) if edits else {}
    return {edit["id"]: list(_find_editors(edit, reviews.get(edit["id"], ()))) for edit in edits}


def _find_editors(edit: Mapping[str, Any], reviews: Collection[Mapping[str, Any]]) -> Iterator[str]:
    for review in reviews:
        if (review["decision"], review["digest"]) == (Decision.EDITED, edit["before"]) and review["counts"]:
            yield review["reviewer"]


def _list_fields(review: Review) -> dict[str, Any]:
    fields = msgspec.to_builtins(review)
    return {name: value for name, value in fields.items() if name not in ("version", "row")}
