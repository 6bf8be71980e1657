"""The test rows that all systems answer, and what helps them to answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from exemplars.core.ids import strip_speech
from exemplars.dataset.catalog import Skill
from exemplars.models.calls import CallFormat
from exemplars.models.rows import TrainingRow, View


class Question(NamedTuple):
    """Test rows, and what helps to answer them."""

    rows: Sequence[TrainingRow]
    tools: Sequence[Sequence[Skill]]
    """Those that the prompt of each row shows."""
    skills: Mapping[str, Skill]
    """The catalog, by name."""
    neighbors: Sequence[Sequence[TrainingRow]]
    """The nearest train rows of each row, the nearest first."""
    seen_services: frozenset[str]
    """The services of the train rows."""
    form: CallFormat
    template_tools: bool
    """Whether tools are shown by the model's own chat template."""


def sample_test_rows(
    rows: Iterable[TrainingRow], limit: int | None, order: Mapping[str, float]
) -> list[TrainingRow]:
    """Sample rows of the view `call`: those of the first turns, with their speech views.

    limit: the number of turns; `None`: all. order: a number for each sampling key, such as a stable hash.
    """
    calls = [row for row in rows if row.view == View.CALL]
    keys = sorted({make_sampling_key(row) for row in calls}, key=lambda key: order[key])
    sampled = set(keys if limit is None else keys[:limit])
    return [row for row in calls if make_sampling_key(row) in sampled]


def make_sampling_key(row: TrainingRow) -> str:
    """Make a key that a row and its speech view have in common."""
    return strip_speech(row.exemplar_ids[0])


def list_tool_names(row: TrainingRow) -> list[str]:
    """List the names of the tools that a row's prompt shows."""
    return [tool["function"]["name"] for tool in msgspec.json.decode(row.tools)]
