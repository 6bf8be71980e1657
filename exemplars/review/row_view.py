"""All that the page shows of one row, as a JSON document."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import polars as pl

from exemplars.core import layout
from exemplars.core.ledger import format_place
from exemplars.core.params import read_source_paths
from exemplars.core.records import Exemplar, Rejection
from exemplars.core.reviews import Review
from exemplars.dataset.catalog import Skill
from exemplars.dataset.leaves import build_arguments
from exemplars.models.calls import Call, CallFormat, format_call
from exemplars.review.dataset_index import DatasetIndex
from exemplars.review.decision_book import RowState
from exemplars.review.nearest_rows import NearestRows

NEAREST: Final = 5
"""How many train rows are shown."""


class RowViewer:
    """Describes the rows of an index."""

    def __init__(self, index: DatasetIndex, skills: dict[str, Skill]) -> None:
        """skills: the catalog, by name."""
        self._index = index
        self._skills = skills
        self._nearest: NearestRows | None = None
        self._lock = threading.Lock()

    def describe(self, exemplar: Exemplar) -> dict[str, Any]:
        """Describe a row: its labels, its context, the other calls of its turn, and where it comes from."""
        columns = self._index.find_row(exemplar.id) or {}
        rejection = self._index.read_rejection(exemplar.id) if columns.get("reason") else None
        return {
            **_describe_labels(exemplar),
            "call": self._format_call(exemplar),
            "digest": exemplar.digest,
            "source": exemplar.source,
            "place": _find_place(exemplar),
            "license": exemplar.license,
            "split": columns.get("split"),
            "rejection": None if rejection is None else describe_rejection(rejection),
            "speaker": exemplar.speaker,
            "reply": exemplar.reply,
            "template": exemplar.exemplar,
            "context": msgspec.to_builtins(exemplar.context),
            "others": [self._format_call(row) for row in self._index.read_turn(exemplar)],
        }

    def describe_skill(self, name: str | None) -> dict[str, Any] | None:
        """Describe what the catalog says of a skill; `None` if it has none of that name."""
        skill = self._skills.get(name or "")
        if skill is None:
            return None
        return {
            "name": skill.name,
            "description": skill.description,
            "service": skill.service,
            "parameters": [
                {
                    "name": parameter.name,
                    "type": parameter.type or "any",
                    "required": parameter.required,
                    "description": parameter.description,
                    "values": parameter.enum,
                    "recognizer": parameter.recognizer,
                    "composed": parameter.composed,
                }
                for parameter in skill.parameters
            ],
            "paths": skill.list_leaf_paths(),
        }

    def find_nearest(self, exemplar: Exemplar) -> list[dict[str, Any]]:
        """Find the train rows whose words are most like the row's, without those of its own turn."""
        with self._lock:
            if self._nearest is None:
                self._nearest = NearestRows(*self._index.list_train_rows())
        own = [exemplar.id, *(row.id for row in self._index.read_turn(exemplar))]
        found = self._nearest.find(exemplar.utterance, NEAREST, own)
        rows = [(near, self._index.read_exemplar(near.id)) for near in found]
        return [
            {**_describe_labels(row), "similarity": near.similarity, "call": self._format_call(row)}
            for near, row in rows
            if row is not None
        ]

    def _format_call(self, row: Exemplar) -> str:
        if row.skill is None:
            return "None"
        leaves = [(argument.slot, argument.value) for argument in row.arguments]
        try:
            arguments = build_arguments(leaves, self._skills.get(row.skill))
        except ValueError:  # Paths that do not fit together.
            arguments = dict(leaves)
        return format_call(Call(row.skill, arguments), CallFormat.PYTHON)


def read_answers(row_id: str) -> list[dict[str, Any]]:
    """Read what the evaluated systems answered to a row, under each condition, as it was written."""
    if not layout.PREDICTIONS.exists():
        return []
    found = (
        pl.scan_parquet(layout.PREDICTIONS)
        .filter(pl.col("exemplar_ids").list.contains(row_id) & ~pl.col("id").str.ends_with("~speech"))
        .select("system", "condition", "kind", "predicted", "right", "confidence", "answered_by")
        .sort("condition", "system")
        .collect()
    )
    return [row | {"right": row["kind"] == "right", "expected": row["right"]} for row in found.to_dicts()]


def describe_rejection(rejection: Rejection) -> dict[str, Any]:
    """Describe why a row is in the ledger."""
    return {"stage": rejection.stage, "reason": rejection.reason, "message": rejection.message}


def describe_record(rejection: Rejection) -> dict[str, Any]:
    """Describe a record that was rejected before it was compiled: there is no more than the ledger has."""
    return {
        "id": rejection.id,
        "utterance": rejection.utterance,
        "skill": rejection.skill,
        "source": rejection.source,
        "rejection": describe_rejection(rejection),
    }


def describe_decisions(state: RowState) -> dict[str, Any]:
    """Describe what is decided about a row. The decisions of others are hidden until this reviewer has decided.

    A second opinion is worth something only if it is one.
    """
    shown = list_shown(state)
    return {
        "own": None if state.own is None else describe_decision(state.own),
        "others": [describe_decision(review) for review in shown if review is not state.own],
        "hidden": 0 if shown else len(state.others),
        "stale": list(map(describe_decision, state.stale)),
        "disputed": state.is_disputed,
        "problem": state.detail if state.is_stale and not state.stale else None,
    }


def list_shown(state: RowState) -> list[Review]:
    """List the decisions about a row as it is that its reviewer may see: the own one first."""
    if state.own is not None:
        return [state.own, *state.others]
    return list(state.others) if state.is_disputed else []


def describe_decision(review: Review) -> dict[str, Any]:
    """Describe a decision."""
    return {
        "decision_id": review.decision_id,
        "row": review.row,
        "decision": review.decision,
        "reviewer": review.reviewer,
        "time": review.time,
        "before": msgspec.to_builtins(review.before),
        "after": msgspec.to_builtins(review.after),
        "note": review.note,
    }


def _describe_labels(exemplar: Exemplar) -> dict[str, Any]:
    arguments: Sequence[Any] = msgspec.to_builtins(exemplar.arguments)
    return {
        "id": exemplar.id,
        "utterance": exemplar.utterance,
        "skill": exemplar.skill,
        "mode": exemplar.mode,
        "arguments": arguments,
    }


def _find_place(exemplar: Exemplar) -> str:
    folder = read_source_paths().get(exemplar.source)
    place = format_place(exemplar.origin)
    return place if folder is None else f"{folder}/{place}"
