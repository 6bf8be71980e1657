"""The text of a decision about a row, in `exemplars trace`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exemplars.core.reviews import Decision


def format_review(review: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a decision, as `read_row_reviews` describes it."""
    if review["decision"] == Decision.WITHDRAWN:
        yield f"{review['reviewer']} withdrew decision {review['withdraws']}, {review['time']}"
        return
    state = "" if review["counts"] else "; it no longer counts"
    yield f"{review['reviewer']} {review['decision']} it, {review['time']}{state}"
    yield f"decision {review['decision_id']} on {review['digest'][:12]}"
    if review["note"]:
        yield f"note: {review['note']}"
    for name in ("before", "after"):
        if review[name] is not None:
            yield f"{name}: {_format_row(review[name])}"


def _format_row(row: Mapping[str, Any]) -> str:
    arguments = ", ".join(
        f'{argument["slot"]} = "{argument["value"]}"{_format_span(argument)}' for argument in row["arguments"]
    )
    calls = f"{row['skill']}({arguments})" if row["skill"] else "no call"
    return f"{row['utterance']} | {calls}, mode {row['mode']}"


def _format_span(argument: Mapping[str, Any]) -> str:
    start, end = argument.get("start"), argument.get("end")
    return "" if start is None else f" [{start}:{end}]"
