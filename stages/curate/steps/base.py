"""The contract of a step, and what the steps share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from exemplars.core.ledger import Ledger
from exemplars.core.records import ReviewItem, TextPair
from stages.curate.input_words import InputWords
from stages.curate.lexicons import Lexicons
from stages.curate.params import CurateParams
from stages.curate.rows import Row, RowReader
from stages.curate.similar_texts import SimilarTexts
from stages.curate.verdicts import Verdicts


@dataclass
class Curation:
    """What every step may read, and where it puts what it reports in addition to the rows."""

    params: CurateParams
    lexicons: Lexicons
    reader: RowReader
    """Reads what rows do not keep."""
    texts: SimilarTexts
    """The texts of all `COLUMNS`."""
    surrogate_key: bytes | None
    """Key of the hash that surrogates are drawn by; `None` unless `privacy.mode` is `surrogate`."""
    words: InputWords | None = None
    """Those of the whole input, if the rows of these steps are most of it."""
    verdicts: Verdicts = field(default_factory=Verdicts)
    """What reviewers decided."""
    candidate_sources: Collection[str] = ()
    """The sources with `review: required`."""
    ledger: Ledger = field(default_factory=lambda: Ledger("curate"))
    """Takes the rows that a step does not return."""
    pairs: list[TextPair] = field(default_factory=list)
    review: list[ReviewItem] = field(default_factory=list)
    """Rows for a person to look at: those of each step after those of the steps before it."""
    figures: dict[str, Any] = field(default_factory=dict)
    """Sections of `reports/details/curate.json`."""
    approved: dict[str, frozenset[str]] = field(default_factory=dict)
    """The rows that reviewers approved: their ids, each with the names of the reviewers."""
    candidates: list[Row] = field(default_factory=list)
    """The rows of `candidate_sources`, until the step that admits them: sorted by id."""


class CurationStep(NamedTuple):
    """One step of the stage."""

    title: str
    """Names the step in the progress output."""
    run: Callable[[list[Row], Curation], list[Row]]
    """Takes all rows, sorted by id, and returns those that stay, in the same order.

    Every other row must be in `Curation.ledger` or `Curation.candidates` afterwards. A step changes no row in place.
    """
