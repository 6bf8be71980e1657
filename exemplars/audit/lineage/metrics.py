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
from exemplars.core.errors import Diagnostic, UserError

_DIMENSIONS: Final = ("skill", "service", "source", "mode")
"""The dimensions of slices that are columns of rows."""
_IDS: Final = 20


def evaluation_of(revision: Revision) -> dict[str, Any]:
    """`reports/evaluate.json` of a revision. Raises `UserError` where there is none that can be read."""
    path = layout.report("evaluate")
    data = revision.file(path.as_posix())
    try:
        return dict(msgspec.json.decode(data or b"", type=dict[str, Any]))
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = "no evaluation" if data is None else "a damaged report"
        fix = "run `dvc repro evaluate`, name another revision, or leave --metrics out"
        place = str(path) if revision.commit is None else f"{path} at {revision.name}"
        raise UserError(
            [Diagnostic(path=place, code="no_metrics", found=found, expected="metrics to compare", fix=fix)]
        ) from None


def moved_metrics(old: Mapping[str, Any], new: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """The metrics of each system that moved, and the slices of the reference system that did.

    A slice has the changed rows in it by kind, and the ids of the first ones, where its dimension is a
    column of rows. `beyond`: the new value is outside the old interval of 95 %.
    """
    overall = [
        {"system": system, "metric": metric, **move}
        for system, metrics in new["systems"].items()
        for metric, move in _moves(old["systems"].get(system, {}), metrics)
    ]
    slices = [
        {"dimension": dimension, "slice": name, **move, **_rows_in(changes, dimension, name)}
        for dimension, values in new["slices"].items()
        for name, move in _moves(old["slices"].get(dimension, {}), values)
    ]
    return {
        "runs": [old["run"], new["run"]],
        "references": [old["reference"], new["reference"]],
        "overall": overall,
        "slices": slices,
    }


def _moves(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in dict.fromkeys((*old, *new)):
        was, now = _value(old.get(name)), _value(new.get(name))
        if was != now:
            yield name, {"old": was, "new": now, "beyond": _beyond(old.get(name), now)}


def _beyond(metric: Any, now: float | None) -> bool:
    low, high = (metric.get(side) if isinstance(metric, dict) else None for side in ("low", "high"))
    return now is not None and low is not None and high is not None and not low <= now <= high


def _value(metric: Any) -> float | None:
    """The value of a figure with an interval; null for other parts of a report."""
    return metric.get("value") if isinstance(metric, dict) else None


def _rows_in(changes: Changes, dimension: str, name: str) -> dict[str, Any]:
    if dimension not in _DIMENSIONS:
        return {"changed_rows": None, "ids": []}
    here = pl.col(dimension).is_null() if name == NO_SKILL else pl.col(dimension) == name
    found = {kind: rows.filter(here)["id"] for kind, rows in changes.items()}
    ids = pl.concat(list(found.values())).unique().sort()
    return {
        "changed_rows": {kind: len(rows) for kind, rows in found.items() if len(rows)},
        "ids": ids.head(_IDS).to_list(),
    }
