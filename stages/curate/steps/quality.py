"""Texts that are not worth learning from: flagged for review, or rejected."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from exemplars.core.ledger import Problem
from exemplars.core.records import Reason, Speaker
from exemplars.core.reports import count_sorted
from stages.curate.input_words import InputWords, count_words
from stages.curate.params import QualityFlag
from stages.curate.quality_flags import merge_flags
from stages.curate.review import make_review_item
from stages.curate.rows import Row
from stages.curate.spelling import find_misspelled_words
from stages.curate.steps.base import Curation, CurationStep


def check_quality(rows: list[Row], curation: Curation) -> list[Row]:
    """List flagged rows for review; reject those with a flag of `quality.reject`."""
    params = curation.params.quality
    flags = flag_rows(rows, curation.words)
    curation.figures["quality_flags"] = count_sorted(
        flag for row_flags in flags.values() for flag in row_flags
    )
    curation.review += [
        make_review_item(row, "quality", ", ".join(flags[row.id])) for row in rows if row.id in flags
    ]
    return curation.ledger.drop(rows, find_quality_problems(flags, params.reject))


def flag_rows(rows: Sequence[Row], words: InputWords | None) -> dict[str, tuple[QualityFlag, ...]]:
    """Return the flags of each row that has any, by id. words: those of all turns of the input; `None`: not known."""
    users = [row for row in rows if row.speaker is Speaker.USER]
    counts = count_words(users) if words is None else words.count(users)
    numbers = {*find_misspelled_words(counts).values()}
    return merge_flags(rows, {row.turn for row in users if row.number in numbers})


def find_quality_problems(
    flags: Mapping[str, tuple[QualityFlag, ...]], rejected: Collection[QualityFlag]
) -> dict[str, Problem]:
    """Find the rows with a flag that rejects: their ids, each with its problem."""
    return {
        row_id: _describe_flags(severe)
        for row_id, row_flags in flags.items()
        if (severe := [flag for flag in row_flags if flag in rejected])
    }


def _describe_flags(flags: list[QualityFlag]) -> Problem:
    return Problem(
        Reason.LOW_QUALITY,
        found="a flagged text",
        summary=f"the text is flagged as {', '.join(flags)}",
        fix="correct the text, or remove it",
    )


STEP: Final = CurationStep("quality", check_quality)
