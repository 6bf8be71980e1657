"""All documents of a release, made from the same facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from exemplars.core.files import encode_json
from stages.publish import paths
from stages.publish.bom import build_ml_bom
from stages.publish.card import render_card, render_card_page
from stages.publish.croissant import build_croissant
from stages.publish.facts import ReleaseFacts
from stages.publish.inputs import STAGE
from stages.publish.pipeline import StageDefinition, build_stage_runs, hash_document
from stages.publish.summary import render_content_summary


def build_documents(facts: ReleaseFacts, page: str) -> dict[Path, bytes]:
    """Build the documents by the path that each is written to.

    The lineage events are not among them: they have the hashes of these. page: the HTML of `dataset.html`.
    """
    card = render_card(facts)
    return {
        paths.DATASET_PAGE: page.encode(),
        paths.CARD: card.encode(),
        paths.CARD_PAGE: render_card_page(card, facts.params.title).encode(),
        paths.CROISSANT: encode_json(build_croissant(facts)),
        paths.MLBOM: encode_json(build_ml_bom(facts)),
        paths.CONTENT_SUMMARY: render_content_summary(facts).encode(),
    }


def add_publish_run(
    facts: ReleaseFacts, stages: Iterable[StageDefinition], documents: Mapping[Path, bytes]
) -> ReleaseFacts:
    """Add the current run of this stage to the pipeline, with the hashes of what it is about to write."""
    files = {file.path: file for run in facts.pipeline for file in (*run.inputs, *run.outputs)}
    files |= {path.as_posix(): hash_document(path, data) for path, data in documents.items()}
    publish = build_stage_runs([stage for stage in stages if stage.name == STAGE], files)
    return msgspec.structs.replace(facts, pipeline=(*facts.pipeline, *publish))
