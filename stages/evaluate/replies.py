"""What systems answer, and the answers of systems that need no language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from exemplars.dataset.catalog import Skill
from exemplars.models.calls import CallFormat, format_calls
from exemplars.models.tagger.calls import TaggedTurn, make_call
from stages.evaluate.knn import predict_from_neighbor
from stages.evaluate.task import Task


class Reply(NamedTuple):
    """The answer of a system to a row."""

    text: str
    ended: bool = True
    """Whether it ended within the token limit; a row that a language model is not shown has an empty answer that
    did not."""
    confidence: float | None = None
    """Of a tagger: the calibrated probability that all of it is right."""
    answered_by: str | None = None
    """The system that a cascade has it from."""


Replies = Mapping[str, Mapping[str, Sequence[Reply]]]
"""The answers to all rows of tasks, by the name of the task, such as a condition, and by system."""


class TaggedReplies(NamedTuple):
    """The answers of a tagger."""

    replies: Sequence[Reply]
    handed_over: Sequence[bool]
    """Whether each is more likely wrong than right, so that a cascade asks another system."""


def answer_by_neighbors(task: Task) -> list[Reply]:
    """Answer each row with the calls of its nearest train row."""
    form = task.style.call_format
    return [
        Reply(predict_from_neighbor(row.utterance, nearest, task.skills, form))
        for row, nearest in zip(task.rows, task.neighbors, strict=True)
    ]


def answer_by_tagger(tagger: Any, task: Task) -> TaggedReplies:
    """Answer each row by a tagger. It always answers, however uncertain it is."""
    shown = [task.list_callable(place) for place in range(len(task.rows))]
    answers: list[TaggedTurn] = tagger.answer(task.questions, shown)
    form = task.style.call_format
    replies = [
        Reply(_format_turn(answer, task.skills, form), confidence=tagger.rate(answer)) for answer in answers
    ]
    return TaggedReplies(replies, [tagger.hands_over(answer) for answer in answers])


def cascade_replies(tagged: TaggedReplies, others: Sequence[Reply], tagger: str, other: str) -> list[Reply]:
    """Take the answers of a tagger where it is sure, and else those of another system. tagger, other: their names."""
    return [
        second._replace(confidence=first.confidence, answered_by=other)
        if is_handed_over
        else first._replace(answered_by=tagger)
        for first, second, is_handed_over in zip(tagged.replies, others, tagged.handed_over, strict=True)
    ]


def _format_turn(answer: TaggedTurn, skills: Mapping[str, Skill], form: CallFormat) -> str:
    """Format the calls of an answer; empty if the paths of its arguments do not fit together."""
    try:
        return format_calls([make_call(call, skills[call.skill]) for call in answer.calls], form)
    except ValueError:
        return ""
