"""All documents of a publication, from the same facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from exemplars.core.files import encode_json
from stages.publish import paths
from stages.publish.bom import ml_bom
from stages.publish.card import card_markdown, card_page
from stages.publish.croissant import croissant
from stages.publish.facts import Facts
from stages.publish.inputs import NAME
from stages.publish.pipeline import Step, stages_of, written_facts
from stages.publish.summary import content_summary


def documents_of(facts: Facts, page: str) -> dict[Path, bytes]:
    """The documents by the path that each is for, but for the events of lineage, which tell of these.

    page: about the data set, as HTML.
    """
    card = card_markdown(facts)
    return {
        paths.DATASET_PAGE: page.encode(),
        paths.CARD: card.encode(),
        paths.CARD_PAGE: card_page(card, facts.about.title).encode(),
        paths.CROISSANT: encode_json(croissant(facts)),
        paths.MLBOM: encode_json(ml_bom(facts)),
        paths.CONTENT_SUMMARY: content_summary(facts).encode(),
    }


def published(facts: Facts, steps: Iterable[Step], documents: Mapping[Path, bytes]) -> Facts:
    """The facts with this stage in the pipeline, as it runs now: what it is about to write has hashes, too."""
    files = {one.path: one for stage in facts.pipeline for one in (*stage.inputs, *stage.outputs)}
    files |= {path.as_posix(): written_facts(path, data) for path, data in documents.items()}
    this = stages_of([step for step in steps if step.name == NAME], files)
    return msgspec.structs.replace(facts, pipeline=(*facts.pipeline, *this))
