"""The decisions of reviewers under a renaming: a decision goes on to hold for the row that it is about.

A new name changes the content of the rows that have it, and so their digests. The digest of a decision is replaced by
that of the renamed row, if the row that it names is known: as `compile` left it, or as an edit has it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import msgspec

from exemplars.audit.renaming.edits import Rename, RenamedLines
from exemplars.audit.renaming.rows import read_compiled_rows, rename_row
from exemplars.core import layout
from exemplars.core.digests import hash_row
from exemplars.core.file_locks import lock_file
from exemplars.core.files import read_file, write_bytes
from exemplars.core.records import Argument, Exemplar, Grounding
from exemplars.core.reviews import Review, encode_review, parse_reviews


def rename_reviews(data: bytes, rename: Rename, rows: Mapping[str, Exemplar]) -> RenamedLines:
    """Rename in the decisions of a file; lines without the name stay as they are.

    rows: the rows as `compile` left them, by id. Raises `UserError` if a line is broken.
    """
    lines = data.split(b"\n")
    reviews = iter(parse_reviews(data))
    places = 0
    for number, line in enumerate(lines):
        review = next(reviews) if line.strip() else None
        if review is not None and (renamed := _rename_review(review, rename, rows.get(review.row))) != review:
            lines[number] = encode_review(renamed).removesuffix(b"\n")
            places += 1
    return RenamedLines(b"\n".join(lines), places)


def plan_reviews(rename: Rename) -> RenamedLines:
    """Rename in the decisions of the project in the current folder, without writing them."""
    path = layout.REVIEWS
    data = read_file(path) if os.path.lexists(path) else b""
    return rename_reviews(data, rename, read_compiled_rows()) if data.strip() else RenamedLines(data, 0)


def write_reviews(rename: Rename) -> None:
    """Rename in the decisions of the project in the current folder; reviewers may append to them at the same time."""
    with lock_file(layout.REVIEWS):
        write_bytes(layout.REVIEWS, plan_reviews(rename).data)


def _rename_review(review: Review, rename: Rename, row: Exemplar | None) -> Review:
    digest = next(
        (
            hash_row(rename_row(version, rename))
            for version in _list_versions(review, row)
            if hash_row(version) == review.digest
        ),
        review.digest,
    )
    before, after = (
        None if reviewed is None else rename_row(reviewed, rename)
        for reviewed in (review.before, review.after)
    )
    return msgspec.structs.replace(review, digest=digest, before=before, after=after)


def _list_versions(review: Review, row: Exemplar | None) -> Iterator[Exemplar]:
    """List what the row of a decision may have been: what it is, and what its reviewer saw before an edit."""
    if row is None:
        return
    yield row
    if review.before is not None:
        accepted = {argument.slot: argument.accepted for argument in row.arguments}
        arguments = tuple(
            Argument(
                argument.slot,
                argument.value,
                argument.surface,
                argument.start,
                argument.end,
                argument.grounding or Grounding.VERBATIM,
                accepted.get(argument.slot, ()),
            )
            for argument in review.before.arguments
        )
        yield msgspec.structs.replace(
            row,
            utterance=review.before.utterance,
            skill=review.before.skill,
            mode=review.before.mode,
            arguments=arguments,
        )
