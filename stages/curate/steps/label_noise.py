"""Skills that are likely wrong: listed for review, never rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from exemplars.core.records import Mode, ReviewItem, Speaker
from exemplars.core.reports import NO_SKILL
from exemplars.core.turns import group_by_turn
from exemplars.dataset.embeddings import embed_texts
from stages.curate.label_errors import build_embedding_classifier, build_word_classifier, find_label_errors
from stages.curate.params import LabelNoiseParams
from stages.curate.review import make_review_item
from stages.curate.rows import Row
from stages.curate.steps.base import Curation, CurationStep


def list_label_noise(rows: list[Row], curation: Curation) -> list[Row]:
    """List rows whose skill is likely wrong for review, the most likely first; keep all rows."""
    params = curation.params.label_noise
    plain = _select_plain(rows)
    if not params.enabled:
        outcome = "off"
    elif len(plain) > params.max_rows:
        outcome = f"more than {params.max_rows} rows"
    else:
        outcome = "done"
        curation.review += _find_suspects(plain, params)
    curation.figures["label_noise"] = outcome
    return rows


def _select_plain(rows: Sequence[Row]) -> list[Row]:
    """Select the rows whose text says their skill, and no other.

    The text of an extended or negative row says something else, and so does the result of a tool; the text of a turn
    with calls of several skills says all of them.
    """
    turns = group_by_turn(rows)
    mixed = {turn for turn, calls in turns.items() if len({(call.service, call.skill) for call in calls}) > 1}
    return [
        row
        for row in rows
        if row.mode in (Mode.NORMAL, Mode.NONE) and row.speaker is Speaker.USER and row.turn not in mixed
    ]


def _find_suspects(rows: Sequence[Row], params: LabelNoiseParams) -> list[ReviewItem]:
    by_embeddings = params.features == "embeddings"
    classifier = build_embedding_classifier(embed_texts) if by_embeddings else build_word_classifier()
    labels = [row.skill or NO_SKILL for row in rows]
    errors = find_label_errors([row.utterance for row in rows], labels, params.folds, classifier)
    return [
        make_review_item(
            rows[error.position],
            "label_noise",
            f"labeled {labels[error.position]}, likely {error.suggested}",
            score=error.score,
            suggested=error.suggested,
        )
        for error in errors[: params.top]
    ]


STEP: Final = CurationStep("label noise", list_label_noise)
