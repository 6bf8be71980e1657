"""Metrics that moved between two revisions, and the changed rows in the slices that moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import polars as pl

from exemplars.audit.lineage.changes import Changes
from exemplars.audit.lineage.row_outcomes import NO_SKILL
from exemplars.audit.revisions import Revision
from exemplars.core import layout
from exemplars.core.conditions import HEADLINE, Condition, take_condition
from exemplars.core.errors import Diagnostic, UserError

_DIMENSIONS: Final = ("skill", "service", "source", "mode")
"""The dimensions of slices that are columns of rows."""
_MAX_IDS: Final = 20
_FIX: Final = "run `dvc repro evaluate`, name another revision, or leave --metrics out"


def read_evaluation(revision: Revision, fix: str = _FIX, condition: Condition = HEADLINE) -> dict[str, Any]:
    """Read the figures of a condition in the report of a revision. Raises `UserError` if it is missing or damaged.

    Revisions of an older version have it in `reports/evaluate.json`.
    """
    path = layout.details("evaluate")
    data = revision.read_file(path.as_posix()) or revision.read_file(layout.report("evaluate").as_posix())
    try:
        return take_condition(msgspec.json.decode(data or b"", type=dict[str, Any]), condition)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = "no evaluation" if data is None else "a damaged report"
        place = str(path) if revision.commit is None else f"{path} at {revision.name}"
        raise UserError(
            [Diagnostic(path=place, code="no_metrics", found=found, expected="metrics to compare", fix=fix)]
        ) from None


def find_moved_metrics(old: Mapping[str, Any], new: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Find the metrics of each system that moved, and the slices of the reference system that did.

    A slice has the number of changed rows in it by kind, and the ids of the first ones, if its dimension is a column
    of rows. `beyond`: the new value is outside the old 95 % interval.
    """
    overall = [
        {"system": system, "metric": metric, **move}
        for system, metrics in new["systems"].items()
        for metric, move in _find_moves(old["systems"].get(system, {}), metrics)
    ]
    slices = [
        {"dimension": dimension, "slice": name, **move, **_find_rows(changes, dimension, name)}
        for dimension, values in new["slices"].items()
        for name, move in _find_moves(old["slices"].get(dimension, {}), values)
    ]
    return {
        "runs": [old["run"], new["run"]],
        "references": [old["reference"], new["reference"]],
        "overall": overall,
        "slices": slices,
    }


def _find_moves(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in dict.fromkeys((*old, *new)):
        before, after = _get_value(old.get(name)), _get_value(new.get(name))
        if before != after:
            yield name, {"old": before, "new": after, "beyond": _is_beyond(old.get(name), after)}


def _is_beyond(metric: Any, value: float | None) -> bool:
    low, high = (metric.get(side) if isinstance(metric, dict) else None for side in ("low", "high"))
    return value is not None and low is not None and high is not None and not low <= value <= high


def _get_value(metric: Any) -> float | None:
    """Return the value of a figure with an interval; `None` for other parts of a report."""
    return metric.get("value") if isinstance(metric, dict) else None


def _find_rows(changes: Changes, dimension: str, name: str) -> dict[str, Any]:
    if dimension not in _DIMENSIONS:
        return {"changed_rows": None, "ids": []}
    in_slice = pl.col(dimension).is_null() if name == NO_SKILL else pl.col(dimension) == name
    ids_by_kind = {kind: rows.filter(in_slice)["id"] for kind, rows in changes.items()}
    ids = pl.concat(list(ids_by_kind.values())).unique().sort()
    return {
        "changed_rows": {kind: len(kind_ids) for kind, kind_ids in ids_by_kind.items() if len(kind_ids)},
        "ids": ids.head(_MAX_IDS).to_list(),
    }
