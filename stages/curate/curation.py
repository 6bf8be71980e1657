"""The stage in one pass: every step keeps, changes or rejects rows, and reports what it found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from exemplars.core.records import Rejection, ReviewItem, TextPair
from exemplars.core.workers import map_shards
from stages.curate.facts import FactParams, ShardTexts, collect_shard_facts
from stages.curate.input_words import InputWords
from stages.curate.inputs import CurateInputs
from stages.curate.params import CurateParams
from stages.curate.rows import Row, RowReader
from stages.curate.similar_texts import SimilarTexts
from stages.curate.spelling import WordCounts
from stages.curate.steps import (
    candidates,
    conflicts,
    decisions,
    exact_duplicates,
    label_noise,
    near_duplicates,
    personal_data,
    quality,
)
from stages.curate.steps.base import Curation, CurationStep
from stages.curate.text_cache import TextCache, join_caches

STEPS: Final[tuple[CurationStep, ...]] = (
    decisions.STEP,
    exact_duplicates.STEP,
    conflicts.STEP,
    quality.STEP,
    personal_data.STEP,
    near_duplicates.STEP,
    candidates.STEP,
    label_noise.STEP,
)
"""The steps, in order. To add a step:

1. Write a module in `stages/curate/steps` with a function from rows and a `Curation` to the kept rows.
2. End the module with `STEP: Final = CurationStep("its title", its_function)`.
3. Add the module's `STEP` to this list.
"""


class Curated(NamedTuple):
    """The decisions of the stage: every exemplar that came in is kept or rejected."""

    kept: list[Row]
    """Sorted by id."""
    reader: RowReader
    """Reads what rows do not keep."""
    rejections: list[Rejection]
    """Sorted by id."""
    pairs: list[TextPair]
    """Near duplicates, sorted within each column."""
    review: list[ReviewItem]
    """In the order of the steps, without what is about rows that a person has approved as they are."""
    figures: dict[str, Any]
    """Sections of `reports/details/curate.json`."""
    cache: TextCache
    """What was found in texts."""


def curate(
    inputs: CurateInputs,
    params: CurateParams,
    announce: Callable[[str], None] = lambda _: None,
    workers: int = 1,
) -> Curated:
    """Run all steps on the exemplars.

    announce: called with the title of each step before it runs. workers: processes that look at rows; they change no
    decision. Raises `UserError` if a step loses a row.
    """
    announce("texts")
    curation, rows, cache = _look_at_rows(inputs, params, workers)
    for step in STEPS:
        announce(step.title)
        rows = step.run(rows, curation)
        curation.ledger.check_conservation(inputs.exemplars.rows, len(rows) + len(curation.candidates))
    return Curated(
        kept=rows,
        reader=curation.reader,
        rejections=curation.ledger.rejections,
        pairs=curation.pairs,
        review=_drop_settled_items(curation),
        figures=curation.figures,
        cache=cache,
    )


def _look_at_rows(
    inputs: CurateInputs, params: CurateParams, workers: int
) -> tuple[Curation, list[Row], TextCache]:
    """Look at all rows, row group by row group; return what steps need, the rows, and what was found in texts."""
    groups = inputs.exemplars
    settings = FactParams(params, inputs.lexicons.names, inputs.texts)
    work = partial(collect_shard_facts, settings, groups)
    reader, rows = RowReader(groups), list[Row]()
    words, texts, caches = WordCounts(), list[ShardTexts](), list[TextCache]()
    for group, facts in enumerate(map_shards(work, range(len(groups)), workers, "curate", groups.name_group)):
        rows += reader.make_rows(group, facts)
        words.extend(facts.words)
        texts.append(facts.texts)
        caches.append(facts.cache)
    curation = Curation(
        params,
        inputs.lexicons,
        reader,
        SimilarTexts(texts, workers),
        inputs.surrogate_key,
        InputWords(words, rows),
        inputs.verdicts,
        inputs.candidate_sources,
    )
    return curation, rows, join_caches(inputs.texts.key, caches)


def _drop_settled_items(curation: Curation) -> list[ReviewItem]:
    """Return the review list without the rows that a person has looked at and approved."""
    return [item for item in curation.review if item.id not in curation.approved]
