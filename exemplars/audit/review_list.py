"""The rows that `curate` keeps and puts on the review list, with the places that an editor opens."""

from __future__ import annotations

import msgspec

from exemplars.audit.json_places import JsonPlaces
from exemplars.audit.rejections import find_place
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, suggest_name
from exemplars.core.ids import parse_row_id
from exemplars.core.params import read_source_paths
from exemplars.core.records import ReviewItem
from exemplars.core.schemas import REVIEW_SCHEMA
from exemplars.core.tables import read_table, rows_from_table


class ReviewRow(msgspec.Struct, frozen=True):
    """A row to review, as people read it."""

    why: str
    """`conflict`, `quality`, `personal_data`, `label_noise`, ..."""
    path: str
    """Relative to the root of the project."""
    line: int | None
    column: int | None
    utterance: str
    detail: str
    skill: str | None
    suggested: str | None
    """The skill that is more likely, if there is one."""
    id: str


def list_review_rows(why: str | None, source: str | None) -> list[ReviewRow]:
    """List the rows to review, by why, the most suspicious first. why, source: only these; `None`: all.

    Raises `UserError` if `curate` has not run, and for a source that does not exist.
    """
    if not layout.REVIEW.exists():
        raise UserError(
            [_report("no_review_list", "no review list", "what `curate` writes", "run `dvc repro curate`")]
        )
    sources = read_source_paths()
    if source is not None and source not in sources:
        fix = suggest_name(source, sources) or "correct the name"
        raise UserError(
            [_report("unknown_source", f"--source {source}", f"one of {', '.join(sorted(sources))}", fix)]
        )
    files: dict[str, JsonPlaces] = {}
    items = [
        item
        for item in rows_from_table(read_table(layout.REVIEW, REVIEW_SCHEMA), ReviewItem)
        if why in (None, item.why) and source in (None, parse_row_id(item.id).source)
    ]
    items.sort(key=lambda item: (item.why, -(item.score or 0.0), item.id))
    return [_locate(item, sources, files) for item in items]


def _locate(item: ReviewItem, sources: dict[str, str], files: dict[str, JsonPlaces]) -> ReviewRow:
    folder = sources.get(parse_row_id(item.id).source)
    path = item.path if folder is None else f"{folder}/{item.path}"
    line, column = find_place(path, item.locator, files)
    return ReviewRow(
        item.why, path, line, column, item.utterance, item.detail, item.skill, item.suggested, item.id
    )


def _report(code: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(
        path="exemplars rejections --review", code=code, found=found, expected=expected, fix=fix
    )
