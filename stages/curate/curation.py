"""The stage in one pass: every step keeps, changes or rejects rows, and reports what it found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from exemplars.core.records import Exemplar, Rejection, ReviewItem, TextPair
from exemplars.core.representativeness import Representativeness
from exemplars.dataset.speech import make_speech_views
from stages.curate.inputs import CurateInputs
from stages.curate.params import CurateParams
from stages.curate.steps import (
    candidates,
    conflicts,
    decisions,
    exact_duplicates,
    label_noise,
    near_duplicates,
    personal_data,
    quality,
    representativeness,
)
from stages.curate.steps.base import Curation, CurationStep
from stages.curate.text_cache import TextCache

STEPS: Final[tuple[CurationStep, ...]] = (
    decisions.STEP,
    exact_duplicates.STEP,
    conflicts.STEP,
    quality.STEP,
    personal_data.STEP,
    near_duplicates.STEP,
    candidates.STEP,
    label_noise.STEP,
    representativeness.STEP,
)
"""The steps, in order. To add a step:

1. Write a module in `stages/curate/steps` with a function from rows and a `Curation` to the kept rows.
2. End the module with `STEP: Final = CurationStep("its title", its_function)`.
3. Add the module's `STEP` to this list.
"""


class Curated(NamedTuple):
    """The result of the stage: every exemplar that came in is kept or rejected."""

    kept: list[Exemplar]
    """Sorted by id."""
    rejections: list[Rejection]
    """Sorted by id."""
    pairs: list[TextPair]
    """Near duplicates, sorted within each column."""
    review: list[ReviewItem]
    """In the order of the steps, without what is about rows that a person has approved as they are."""
    speech: list[Exemplar]
    """The speech views of the rows that are kept, in their order."""
    representativeness: Representativeness
    figures: dict[str, Any]
    """Sections of `reports/details/curate.json`."""


def curate(
    inputs: CurateInputs,
    params: CurateParams,
    surrogate_key: bytes | None,
    announce: Callable[[str], None],
) -> Curated:
    """Run all steps on the exemplars.

    surrogate_key: required if `privacy.mode` is `surrogate`. announce: called with the title of each step
    before it runs. Raises `UserError` if a step loses a row.
    """
    curation = Curation(
        params,
        inputs.skills,
        inputs.lexicons,
        surrogate_key,
        inputs.verdicts,
        inputs.candidate_sources,
        inputs.texts or TextCache(),
    )
    rows = inputs.exemplars
    for step in STEPS:
        announce(step.title)
        rows = step.run(rows, curation)
        kept = len(rows) + len(curation.candidates)
        curation.ledger.check_conservation(len(inputs.exemplars), kept)
    return Curated(
        kept=rows,
        rejections=curation.ledger.rejections,
        pairs=curation.pairs,
        review=_drop_settled_items(curation),
        speech=make_speech_views(rows),
        representativeness=curation.representativeness,
        figures=curation.figures,
    )


def _drop_settled_items(curation: Curation) -> list[ReviewItem]:
    """Return the review list without the rows that a person has looked at and approved."""
    return [item for item in curation.review if item.id not in curation.approved]
