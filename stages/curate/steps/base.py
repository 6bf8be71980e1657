"""The contract of a step, and what the steps share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from exemplars.core.records import ReviewItem
from stages.curate.input_words import InputWords
from stages.curate.lexicons import Lexicons
from stages.curate.params import CurateParams
from stages.curate.rejected_rows import RejectedRows
from stages.curate.rows import Rows, RowTable
from stages.curate.similar_texts import SimilarTexts
from stages.curate.text_pairs import TextPairs
from stages.curate.verdicts import Verdicts


class Approval(NamedTuple):
    """What is known of a row that reviewers approved."""

    id: str
    reviewers: frozenset[str]


@dataclass
class Curation:
    """What every step may read, and where it puts what it reports in addition to the rows."""

    params: CurateParams
    lexicons: Lexicons
    table: RowTable
    texts: SimilarTexts
    """The texts of all `COLUMNS`."""
    ledger: RejectedRows
    """Takes the rows that a step does not return."""
    pairs: TextPairs
    """Near duplicates."""
    surrogate_key: bytes | None
    """Key of the hash that surrogates are drawn by; `None` unless `privacy.mode` is `surrogate`."""
    words: InputWords | None = None
    """Those of the whole input, if the rows of these steps are most of it."""
    verdicts: Verdicts = field(default_factory=Verdicts)
    """What reviewers decided."""
    candidate_sources: Collection[str] = ()
    """The sources with `review: required`."""
    review: list[ReviewItem] = field(default_factory=list)
    """Rows for a person to look at: those of each step after those of the steps before it."""
    figures: dict[str, Any] = field(default_factory=dict)
    """Sections of `reports/details/curate.json`."""
    approved: dict[int, Approval] = field(default_factory=dict)
    """The rows that reviewers approved, by number."""
    candidates: Rows = field(init=False)
    """The rows of `candidate_sources`, until the step that admits them."""

    def __post_init__(self) -> None:
        """Begin without candidates."""
        self.candidates = Rows(self.table, np.empty(0, np.int64))


class CurationStep(NamedTuple):
    """One step of the stage."""

    title: str
    """Names the step in the progress output."""
    run: Callable[[Rows, Curation], Rows]
    """Takes all rows, in ascending order, and returns those that stay, in the same order.

    Every other row must be in `Curation.ledger` or `Curation.candidates` afterwards.
    """
