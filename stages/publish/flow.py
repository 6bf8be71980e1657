"""Row accounting: how many records each stage keeps and rejects, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import pyarrow as pa

from exemplars.core.records import Reason
from exemplars.core.remedies import REMEDIES, Where, explain_reasons

EXAMPLES: Final = 3
"""How many messages of the ledger are shown for each reason."""
_REJECTING_STAGES: Final = ("ingest", "compile", "curate", "split")


class RejectionSummary(NamedTuple):
    """The records that a stage rejected for one reason."""

    stage: str
    reason: str
    records: int
    meaning: str
    where: Where
    """Where a change would keep them."""
    action: str
    """What to do about them."""
    examples: tuple[str, ...]
    """The first messages of the ledger."""

    @property
    def repairable(self) -> bool:
        """Whether a change to a source or a parameter would keep them."""
        return self.where is not Where.NOWHERE


class StageFlow(NamedTuple):
    """What a stage gets, and what becomes of it."""

    stage: str
    records: int
    """How many records it gets."""
    rejected: dict[Where, int]
    """By where a change would keep them."""

    @property
    def kept(self) -> int:
        """The number of records that the stage keeps."""
        return self.records - sum(self.rejected.values())


def follow_records(records: int, rejections: Iterable[RejectionSummary]) -> list[StageFlow]:
    """Follow the records through the stages, in the order of the pipeline.

    records: how many came in. rejections: of all stages.
    """
    rejected = {stage: dict.fromkeys(Where, 0) for stage in _REJECTING_STAGES}
    for rejection in rejections:
        rejected[rejection.stage][rejection.where] += rejection.records
    flows = []
    for stage, counts in rejected.items():
        flows.append(StageFlow(stage, records, counts))
        records = flows[-1].kept
    return flows


def summarize_rejections(rejections: pa.Table) -> list[RejectionSummary]:
    """Summarize the ledgers of all stages by stage and reason.

    Those that a change to a source would avoid come first, then those that a parameter avoids; within these, the
    most frequent ones.
    """
    messages: dict[tuple[str, str], list[str]] = {}
    columns = (rejections.column(name).to_pylist() for name in ("stage", "reason", "message"))
    for stage, reason, message in zip(*columns, strict=True):
        messages.setdefault((stage, reason), []).append(message)
    meanings = explain_reasons()
    summaries = [
        RejectionSummary(
            stage, reason, len(texts), meanings[reason], *REMEDIES[Reason(reason)], tuple(texts[:EXAMPLES])
        )
        for (stage, reason), texts in messages.items()
    ]
    order = list(Where)
    return sorted(
        summaries,
        key=lambda summary: (order.index(summary.where), -summary.records, summary.stage, summary.reason),
    )
