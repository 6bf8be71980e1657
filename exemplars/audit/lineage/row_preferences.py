"""The preferences about rows: which answers to them were called better, and by whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from exemplars.audit.revisions import Revision
from exemplars.core import layout
from exemplars.models.preference_log import read_preference_lines


def read_row_preferences(
    revision: Revision, digests: Mapping[str, Collection[str]]
) -> dict[str, list[dict[str, Any]]]:
    """Read the preferences about some rows, by row id, in the order of the file; broken lines are skipped.

    digests: all that each row has had, by its id.
    """
    rows = {digest: row_id for row_id, known in digests.items() for digest in known}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in read_preference_lines(revision.read_file(layout.RAW_PREFERENCES.as_posix()) or b""):
        pair = line.pair
        if pair is not None and pair.row in rows:
            found[rows[pair.row]].append(
                {
                    "line": line.number,
                    "id": pair.id,
                    "source": pair.source.value,
                    "verdict": pair.verdict.value,
                    "kind": pair.kind,
                    "chosen_by": pair.chosen_by,
                    "rejected_by": pair.rejected_by,
                    "judge": pair.judge,
                    "problem": None if line.problem is None else str(line.problem.reason),
                }
            )
    return found


def format_preference(preference: Mapping[str, Any]) -> str:
    """Format a preference, as `read_row_preferences` describes it, on one line."""
    parts = [f"line {preference['line']}: {preference['source']}, {preference['verdict']}"]
    if preference["kind"]:
        parts.append(f"against {preference['kind'].replace('_', ' ')}")
    if preference["chosen_by"] and preference["rejected_by"]:
        parts.append(f"{preference['chosen_by']} and {preference['rejected_by']}")
    if preference["judge"]:
        parts.append(f"by {preference['judge']}")
    if preference["problem"]:
        parts.append(preference["problem"])
    return ", ".join(parts)
