"""The last line of the pipeline: how good the model is, and which page to open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exemplars.core.reports import format_interval
from stages.publish import paths


def summarize_release(evaluation: Mapping[str, Any] | None) -> str:
    """Summarize the pipeline in a line for people.

    evaluation: the report of `evaluate`; `None` if no model was evaluated.
    """
    page = f"open {paths.DATASET_PAGE.as_posix()}"
    if evaluation is None:
        return f"publish: no model was evaluated; {page}"
    reference = evaluation["reference"]
    score = format_interval(evaluation["systems"][reference]["exact_match"], digits=3)
    return f"publish: exact match of {reference} {score}, {evaluation['rows']} test rows; {page}"
