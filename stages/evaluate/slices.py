"""Rows that have something in common, so that a figure says where it is good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from exemplars.core.reports import NO_SKILL

_LENGTHS: Final = ((5, "up to 5"), (10, "6 to 10"), (20, "11 to 20"))


def slices_of(
    rows: Sequence[Mapping[str, Any]], seen_services: frozenset[str]
) -> dict[str, dict[str, list[int]]]:
    """The places of the rows in each slice, by dimension and value.

    rows: of `TRAINING_SCHEMA`. seen_services: the services that train rows have.
    """
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, row in enumerate(rows):
        for dimension, value in _of_row(row, seen_services):
            found[dimension][value].append(place)
    return {dimension: dict(sorted(values.items())) for dimension, values in found.items()}


def _of_row(row: Mapping[str, Any], seen_services: frozenset[str]) -> Iterator[tuple[str, str]]:
    yield "skill", row["skill"] or NO_SKILL
    yield "mode", row["mode"]
    yield "transcript", "as a recognizer hands it over" if row["speech"] else "as written"
    yield "words", _length(len(row["utterance"].split()))
    if row["service"] is not None:
        yield "service", row["service"]
        yield "service seen in training", "yes" if row["service"] in seen_services else "no"
    for grounding in sorted({one["grounding"] for one in row["answers"]}):
        yield "grounding", grounding


def _length(words: int) -> str:
    return next((name for most, name in _LENGTHS if words <= most), "more than 20")
