"""Row accounting: how many records each stage keeps and rejects, and why."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

import pyarrow as pa

from exemplars.core.records import OUT_OF_SCOPE, Reason
from exemplars.core.remedies import explain_reasons

KEPT: Final = "kept"
EXAMPLES: Final = 3
"""How many messages of the ledger are shown for each reason."""
_REJECTING_STAGES: Final = ("ingest", "compile", "curate", "split")


class StageOutcome(NamedTuple):
    """Records with the same outcome of the same stage."""

    stage: str
    outcome: str
    """`kept`, or a reason."""
    records: int


class RejectionSummary(NamedTuple):
    """The records that a stage rejected for one reason."""

    stage: str
    reason: str
    records: int
    meaning: str
    actionable: bool
    """Whether a change to the source or the parameters would keep them."""
    examples: tuple[str, ...]
    """The first messages of the ledger."""


def count_outcomes(records: int, rejections: pa.Table) -> list[StageOutcome]:
    """Count the outcomes of all stages, in the order of the pipeline.

    records: how many came in. rejections: the ledgers of all stages.
    """
    counts = Counter(
        zip(rejections.column("stage").to_pylist(), rejections.column("reason").to_pylist(), strict=True)
    )
    outcomes = []
    for stage in _REJECTING_STAGES:
        rejected = sorted(
            ((reason, count) for (where, reason), count in counts.items() if where == stage),
            key=lambda item: (-item[1], item[0]),
        )
        records -= sum(count for _, count in rejected)
        outcomes.append(StageOutcome(stage, KEPT, records))
        outcomes += [StageOutcome(stage, reason, count) for reason, count in rejected]
    return outcomes


def summarize_rejections(rejections: pa.Table) -> list[RejectionSummary]:
    """Summarize the ledgers of all stages by stage and reason, the most frequent first."""
    messages: dict[tuple[str, str], list[str]] = {}
    columns = (rejections.column(name).to_pylist() for name in ("stage", "reason", "message"))
    for stage, reason, message in zip(*columns, strict=True):
        messages.setdefault((stage, reason), []).append(message)
    meanings = explain_reasons()
    expected = {str(reason) for reason in (*OUT_OF_SCOPE, Reason.ERASED)}
    return [
        RejectionSummary(
            stage, reason, len(texts), meanings[reason], reason not in expected, tuple(texts[:EXAMPLES])
        )
        for (stage, reason), texts in sorted(messages.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
