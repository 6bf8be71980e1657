"""The stage in one pass: every step keeps, changes or rejects rows, and reports what it found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from exemplars.core.memory import return_freed_pages
from exemplars.core.records import ReviewItem
from exemplars.core.workers import map_shards
from stages.curate.facts import FactParams, collect_shard_facts
from stages.curate.input_words import InputWords
from stages.curate.inputs import CurateInputs
from stages.curate.params import CurateParams
from stages.curate.rejected_rows import RejectedRows
from stages.curate.rows import Rows, RowTable
from stages.curate.scratch import Scratch
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
from stages.curate.text_cache import CacheCollector, TextCache
from stages.curate.text_pairs import TextPairs

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

    kept: Rows
    """In ascending order."""
    ledger: RejectedRows
    pairs: TextPairs
    """Near duplicates, sorted within each column."""
    review: list[ReviewItem]
    """In the order of the steps, without what is about rows that a person has approved as they are."""
    figures: dict[str, Any]
    """Sections of `reports/details/curate.json`."""
    cache: TextCache | None
    """What was found in texts; `None` if that is too much to be remembered."""


def curate(
    inputs: CurateInputs,
    params: CurateParams,
    scratch: Scratch,
    announce: Callable[[str], None] = lambda _: None,
    workers: int = 1,
) -> Curated:
    """Run all steps on the exemplars.

    scratch: must be open as long as `Curated.ledger` and `Curated.pairs` are read. announce: called with the title
    of each step before it runs. workers: processes that look at rows; they change no decision. Raises `UserError` if a
    step loses a row.
    """
    announce("texts")
    curation, cache = _look_at_rows(inputs, params, scratch, workers)
    rows = curation.table.select_all()
    for step in STEPS:
        announce(step.title)
        rows = step.run(rows, curation)
        return_freed_pages()
        curation.ledger.check_conservation(inputs.exemplars.rows, len(rows) + len(curation.candidates))
    return Curated(
        kept=rows,
        ledger=curation.ledger,
        pairs=curation.pairs,
        review=_drop_settled_items(curation),
        figures=curation.figures,
        cache=cache,
    )


def _look_at_rows(
    inputs: CurateInputs, params: CurateParams, scratch: Scratch, workers: int
) -> tuple[Curation, TextCache | None]:
    """Look at all rows, row group by row group; return what steps need, and what was found in texts."""
    groups = inputs.exemplars
    settings = FactParams(params, inputs.lexicons.names, inputs.texts)
    work = partial(collect_shard_facts, settings, groups)
    table, words, cache = RowTable(groups, scratch.columns), WordCounts(), CacheCollector(inputs.texts.key)
    texts = SimilarTexts(scratch.texts, scratch.sketches, workers)
    for group, facts in enumerate(map_shards(work, range(len(groups)), workers, "curate", groups.name_group)):
        table.fill(group, facts)
        words.extend(facts.words)
        texts.append(facts.texts)
        cache.add(facts.cache)
    return_freed_pages()
    texts.index()
    curation = Curation(
        params,
        inputs.lexicons,
        table,
        texts,
        RejectedRows(scratch.rejections),
        TextPairs(scratch.pairs),
        inputs.surrogate_key,
        InputWords(words, table.select_all()),
        inputs.verdicts,
        inputs.candidate_sources,
    )
    return curation, cache.join()


def _drop_settled_items(curation: Curation) -> list[ReviewItem]:
    """Return the review list without the rows that a person has looked at and approved."""
    settled = {approval.id for approval in curation.approved.values()}
    return [item for item in curation.review if item.id not in settled]
