"""Skills that are likely wrong: listed for review, never rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from exemplars.core.records import Mode, ReviewItem, Speaker
from exemplars.core.reports import NO_SKILL
from exemplars.dataset.embeddings import embed_texts
from stages.curate.key_arrays import join_keys
from stages.curate.label_errors import build_embedding_classifier, build_word_classifier, find_label_errors
from stages.curate.params import LabelNoiseParams
from stages.curate.review import make_review_item
from stages.curate.rows import Row, Rows
from stages.curate.steps.base import Curation, CurationStep


def list_label_noise(rows: Rows, curation: Curation) -> Rows:
    """List rows whose skill is likely wrong for review, the most likely first; keep all rows."""
    params = curation.params.label_noise
    plain = _select_plain(rows)
    if not params.enabled:
        outcome = "off"
    elif len(plain) > params.max_rows:
        outcome = f"more than {params.max_rows} rows"
    else:
        outcome = "done"
        curation.review += _find_suspects(list(plain), params)
    curation.figures["label_noise"] = outcome
    return rows


def _select_plain(rows: Rows) -> Rows:
    """Select the rows whose text says their skill, and no other.

    The text of an extended or negative row says something else, and so does the result of a tool; the text of a turn
    with calls of several skills says all of them.
    """
    answers = join_keys(rows["service"], rows["skill"])
    turns, first, inverse = np.unique(rows["turn"], return_index=True, return_inverse=True)
    is_other = answers != answers[first[inverse]]
    is_mixed = np.isin(rows["turn"], turns[inverse[is_other]])
    is_plain = rows.match("mode", [Mode.NORMAL, Mode.NONE]) & rows.match("speaker", [Speaker.USER])
    return rows.select(is_plain & ~is_mixed)


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
