"""What a trained tagger says about generated examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exemplars.answering.answers import Answer
from exemplars.answering.loading import list_runs, load_system
from exemplars.answering.systems import Task
from exemplars.core.records import Argument, Exemplar
from exemplars.models.questions import Question
from exemplars.models.run_manifest import TAGGER


def find_contradictions(rows: Sequence[Exemplar]) -> set[str] | None:
    """Find the rows that a trained tagger is sure to read differently; `None`: there is no tagger.

    Raises `UserError` if the tagger is damaged, or was trained for another catalog.
    """
    recipe = next((run.recipe for run in list_runs() if run.method == TAGGER), None)
    if recipe is None or not rows:
        return None if recipe is None else set()
    tagger = load_system(recipe)
    return {row.id for row in rows if contradicts(row, tagger.answer(Task(Question(row.utterance))))}


def contradicts(row: Exemplar, answer: Answer) -> bool:
    """Return whether an answer is sure, and another call than the row's. A said value is compared by its span."""
    if answer.problem is not None:
        return False
    calls = {(call.skill, _list_facts(call.spans)) for call in answer.calls}
    return calls != {(row.skill, _list_facts(row.arguments))}


def _list_facts(arguments: Iterable[Argument]) -> frozenset[tuple[str, str | int, int]]:
    return frozenset(
        (argument.slot, argument.value, -1)
        if argument.start is None or argument.end is None
        else (argument.slot, argument.start, argument.end)
        for argument in arguments
    )
