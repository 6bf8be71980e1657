"""Texts that are not worth learning from: flagged for review, or rejected."""

from __future__ import annotations

from typing import Final

import numpy as np

from exemplars.core.ledger import Problem
from exemplars.core.records import Reason, Speaker
from exemplars.core.reports import count_sorted
from stages.curate.input_words import InputWords, count_words
from stages.curate.params import QualityFlag
from stages.curate.quality_flags import add_misspellings, decode_flags
from stages.curate.review import make_review_item
from stages.curate.rows import Row, Rows
from stages.curate.spelling import find_misspelled_words
from stages.curate.steps.base import Curation, CurationStep


def check_quality(rows: Rows, curation: Curation) -> Rows:
    """List flagged rows for review; reject those with a flag of `quality.reject`."""
    rejected = curation.params.quality.reject
    flagged = flag_rows(rows, curation.words)
    curation.figures["quality_flags"] = count_sorted(flag for _, flags in flagged for flag in flags)
    curation.review += [make_review_item(row, "quality", ", ".join(flags)) for row, flags in flagged]
    problems = {
        row.number: _describe_flags(severe)
        for row, flags in flagged
        if (severe := [flag for flag in flags if flag in rejected])
    }
    return curation.ledger.drop_found(rows, problems)


def flag_rows(rows: Rows, words: InputWords | None) -> list[tuple[Row, tuple[QualityFlag, ...]]]:
    """Return the rows that have flags. words: those of all turns of the input; `None`: not known."""
    is_user = rows.match("speaker", [Speaker.USER])
    users = rows.select(is_user)
    counts = count_words(users) if words is None else words.count(users)
    named = users.select(np.isin(users.numbers, [*find_misspelled_words(counts).values()]))
    is_misspelled = is_user & np.isin(rows["turn"], named["turn"])
    flags = add_misspellings(rows["flags"], is_misspelled)
    flagged = rows.select(flags != 0)
    return list(zip(flagged, map(decode_flags, flags[flags != 0].tolist()), strict=True))


def _describe_flags(flags: list[QualityFlag]) -> Problem:
    return Problem(
        Reason.LOW_QUALITY,
        found="a flagged text",
        summary=f"the text is flagged as {', '.join(flags)}",
        fix="correct the text, or remove it",
    )


STEP: Final = CurationStep("quality", check_quality)
