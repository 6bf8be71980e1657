"""What models wrote, which models, and what people decided about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from exemplars.core.files import list_folder, read_file

NOT_STATED: Final = "a model that is not stated"
BY_HAND: Final = "written by hand"
"""The host of answers that no model gave."""

AnswerModels = Mapping[str, str]
"""Who wrote each line of the files of a source, by `path:line`."""


class SyntheticSource(msgspec.Struct, frozen=True):
    """A source that models wrote."""

    name: str
    models: dict[str, int]
    """Its exemplars by the model that wrote them."""
    is_reviewed: bool
    """Whether a person has approved each of its exemplars."""
    reviewers: int
    """The number of people who approved some of them."""

    @property
    def exemplars(self) -> int:
        """The number of its exemplars."""
        return sum(self.models.values())


class ReviewSummary(msgspec.Struct, frozen=True):
    """What people decided about rows of all sources."""

    approved: int = 0
    rejected: int = 0
    edited: int = 0
    reviewers: int = 0

    @property
    def rows(self) -> int:
        """The number of rows that were approved or rejected; an edited row counts as approved."""
        return self.approved + self.rejected


class _Answer(msgspec.Struct):
    """What a line of generated answers says of its author."""

    model: str
    host: str = ""
    answered_by: str | None = None


def read_answer_models(folder: Path) -> AnswerModels:
    """Read who wrote each line of the generated answers in a folder; lines that are no answers are left out."""
    models = {}
    for entry in list_folder(folder) if folder.is_dir() else ():
        if entry.is_file and entry.path.suffix.casefold() == ".jsonl":
            name = entry.path.relative_to(folder).as_posix()
            for number, line in enumerate(read_file(entry.path).split(b"\n"), 1):
                try:
                    answer = msgspec.json.decode(line, type=_Answer)
                except (msgspec.DecodeError, RecursionError):
                    continue
                by_hand = answer.host == BY_HAND
                models[f"{name}:{number}"] = BY_HAND if by_hand else answer.answered_by or answer.model
    return models


def summarize_synthetic(
    rows: pa.Table,
    sources: Iterable[str],
    models: Mapping[str, AnswerModels],
    curate: Mapping[str, Any],
) -> tuple[SyntheticSource, ...]:
    """Summarize the sources that models wrote.

    rows: of all splits, with source and origin. sources: the names of these sources. models: of those that
    `exemplars generate` filled, by name. curate: the report of the stage.
    """
    authors: dict[str, Counter[str]] = {name: Counter() for name in sources}
    columns = (rows.column(name).to_pylist() for name in ("source", "origin"))
    for source, origin in zip(*columns, strict=True):
        if source in authors:
            line = str(origin["locator"]).partition("/")[0]
            authors[source][models.get(source, {}).get(f"{origin['path']}:{line}", NOT_STATED)] += 1
    candidates = curate.get("candidates", {})
    reviewers = candidates.get("reviewers", {})
    return tuple(
        SyntheticSource(
            name,
            dict(counts.most_common()),
            name in candidates.get("sources", ()),
            reviewers.get(name, 0),
        )
        for name, counts in sorted(authors.items())
    )


def summarize_review(curate: Mapping[str, Any]) -> ReviewSummary:
    """Summarize the decisions that `curate` applied. curate: the report of the stage."""
    decisions = curate.get("decisions", {})
    counts = {name: decisions.get(name, 0) for name in ("approved", "rejected", "edited")}
    return ReviewSummary(**counts, reviewers=len(decisions.get("by_reviewer", {})))
