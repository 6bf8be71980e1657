"""Row outcomes, for tests of pure functions."""

from __future__ import annotations

import polars as pl

from exemplars.audit.lineage.row_outcomes import SCHEMA


def outcome(
    row_id: str,
    utterance: str = "hello",
    digest: str | None = "of the text",
    split: str | None = "train",
    reason: str | None = None,
    skill: str | None = "call",
    service: str | None = None,
    group: str = "g",
) -> dict[str, str | None]:
    """Build a row. With a reason it is rejected by compile; without a digest it gets one that follows from its text."""
    return {
        "id": row_id,
        "source": row_id.partition(":")[0],
        "digest": f"d {utterance}" if digest == "of the text" else digest,
        "service": service,
        "skill": skill,
        "mode": "normal",
        "utterance": utterance,
        "exemplar": utterance,
        "group": group,
        "license": "MIT",
        "split": None if reason else split,
        "stage": "compile" if reason else None,
        "reason": reason,
        "message": f"found {reason}" if reason else None,
    }


def table(*rows: dict[str, str | None]) -> pl.DataFrame:
    """Build a table of `SCHEMA` from rows."""
    return pl.DataFrame(rows, schema=SCHEMA)
