"""Preferences from a model's own errors: the right answer of a row against that of a model that never saw the row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.digests import hash_content, hash_to_fraction
from exemplars.dataset.catalog import Skill
from exemplars.dataset.folds import number_folds
from exemplars.models.calls import CallFormat, MalformedCall, parse_calls
from exemplars.models.decoding import Completion
from exemplars.models.preference_rows import (
    PREFERENCE_VERSION,
    PairSource,
    PreferencePair,
    PreferredCall,
    Side,
)
from exemplars.models.rows import TrainingRow, list_tool_names
from exemplars.models.scoring import ErrorKind, build_expected_answer, score_prediction

_SALT: Final = "folds"
_ID_DIGITS: Final = 32
_NO_ANSWERS: Final = frozenset({ErrorKind.TOO_LONG, ErrorKind.REPETITIVE, ErrorKind.NOT_ASKED})
"""What did not end: no answer that a model could prefer less."""


class Fold(NamedTuple):
    """A part of the rows, and the model that answers them."""

    number: int
    """From 1."""
    train: list[TrainingRow]
    """What the model is trained on: the train rows of all other folds."""
    asked: list[TrainingRow]
    """What it answers: rows of its own fold."""


def divide_folds(
    train: Iterable[TrainingRow], others: Iterable[TrainingRow], folds: int, limit: int | None
) -> list[Fold]:
    """Divide rows into folds of about as many groups each, in the order of a stable hash; no group is torn apart.

    others: rows that no model is trained on, such as those of validation; each fold answers a part of them. limit: the
    number of rows that a fold answers, sampled by stable hash; `None`: all.
    """
    rows, held_out = list(train), list(others)
    numbers = number_folds((row.group for row in (*rows, *held_out)), folds)
    divided = []
    for number in range(folds):
        asked = [row for row in (*rows, *held_out) if numbers[row.group] == number]
        asked.sort(key=lambda row: (hash_to_fraction(row.id, _SALT), row.id))
        learned = [row for row in rows if numbers[row.group] != number]
        divided.append(Fold(number + 1, learned, asked[:limit]))
    return divided


def collect_errors(
    rows: Sequence[TrainingRow],
    answers: Mapping[str, Completion],
    skills: Mapping[str, Skill],
    form: CallFormat,
    model: str,
) -> Iterator[tuple[ErrorKind, PreferencePair | None]]:
    """Yield what is wrong with the answer to each row, and the pair that it makes; `None`: none.

    answers: by the id of the row. skills: the catalog, by name. model: the run that answered.
    """
    for row in rows:
        answer = answers[row.id]
        expected = build_expected_answer(row, list_tool_names(row))
        kind = score_prediction(answer.text, answer.ended, expected, skills, form).kind
        is_wrong = kind is not ErrorKind.RIGHT and kind not in _NO_ANSWERS and bool(answer.text.strip())
        yield kind, _make_pair(row, answer.text, kind, form, model) if is_wrong else None


def _make_pair(
    row: TrainingRow, answer: str, kind: ErrorKind, form: CallFormat, model: str
) -> PreferencePair:
    """Make a pair. Its id depends on the row and the two sides alone, so that no pair is there twice."""
    right = row.messages[-1].content
    content = "\n".join((row.digests[0], right, answer))
    return PreferencePair(
        version=PREFERENCE_VERSION,
        id=hash_content(content.encode())[:_ID_DIGITS],
        row=row.digests[0],
        chosen=_read_side(right, form),
        rejected=_read_side(answer, form),
        kind=kind.value,
        rejected_by=model,
        source=PairSource.ERRORS,
    )


def _read_side(text: str, form: CallFormat) -> Side:
    """Read the calls of an answer, so that it can be written in every format; a text that has none stays one."""
    calls = parse_calls(text, form)
    if isinstance(calls, MalformedCall):
        return text
    return tuple(PreferredCall(call.skill, dict(call.arguments)) for call in calls)
