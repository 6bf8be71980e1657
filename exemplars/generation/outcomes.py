"""What became of generated examples: which are in a split, which were rejected and why, which wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from exemplars.core import layout
from exemplars.core.ids import SPLITS, make_row_id
from exemplars.core.records import Origin, Reason
from exemplars.dataset.generated_answers import find_examples
from exemplars.generation.answer_files import StoredAnswer

_LEDGERS: Final = tuple(map(layout.ledger_path, (layout.EXEMPLARS, layout.CURATED, layout.MANIFEST)))


class State(StrEnum):
    """What became of an example that no ledger has."""

    APPROVED = "approved"
    """It is in a split."""
    NOT_COMPILED = "not_compiled"
    """No stage has read it yet: `dvc repro` does."""


class ExampleOutcome(NamedTuple):
    """An example of an answer, or what is left of an answer without one."""

    id: str
    stored: StoredAnswer
    outcome: str
    """A `State`, or the reason of a ledger."""
    message: str = ""
    """That of the ledger."""

    @property
    def is_waiting(self) -> bool:
        """Whether it may still become a train row: nobody has decided on it."""
        return self.outcome in (Reason.PENDING_REVIEW, State.NOT_COMPILED)


def list_example_ids(source: str, stored: StoredAnswer) -> list[str]:
    """List the ids of the rows of an answer, as `ingest` gives them."""
    text = stored.answer.answer or ""
    spans, is_complete = find_examples(text)
    count = len(spans) + (0 if spans and is_complete else 1)
    return [
        make_row_id(source, Origin(stored.path, "", f"{stored.line}/answer/examples/{number}"))
        for number in range(count)
    ]


def find_outcomes(source: str, answers: Iterable[StoredAnswer]) -> Iterator[ExampleOutcome]:
    """Find what became of each example. Tables of stages that have not run are taken as empty.

    An answer that was read as broken before any stage ran has the outcome that `ingest` will give it.
    """
    known = {
        **{row_id: (state, "") for row_id, state in _read_states(source).items()},
        **_read_reasons(source),
    }
    for stored in answers:
        spans, _ = find_examples(stored.answer.answer or "")
        for number, row_id in enumerate(list_example_ids(source, stored)):
            outcome, message = known.get(row_id, (None, ""))
            if outcome is None:
                broken = Reason.NO_ANSWER if stored.answer.refusal is not None else Reason.MALFORMED_RECORD
                outcome = str(State.NOT_COMPILED if number < len(spans) else broken)
            yield ExampleOutcome(row_id, stored, outcome, message)


def _read_states(source: str) -> dict[str, str]:
    return {
        row_id: str(State.APPROVED)
        for name in SPLITS
        for (row_id,) in _read_columns(layout.split(name), source, ("id",))
    }


def _read_reasons(source: str) -> dict[str, tuple[str, str]]:
    """Read the reason and the message of each rejected example."""
    reasons: dict[str, tuple[str, str]] = {}
    for path in _LEDGERS:
        for row_id, reason, message in _read_columns(path, source, ("id", "reason", "message")):
            reasons.setdefault(row_id, (reason, message))
    return reasons


def _read_columns(path: Path, source: str, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    if not path.exists():
        return []
    rows = pl.scan_parquet(path).filter(pl.col("source") == source).select(columns)
    return rows.collect().rows()
