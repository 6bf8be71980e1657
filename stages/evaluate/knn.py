"""The kNN baseline: the nearest train rows of a row, by the embeddings of their utterances."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from exemplars.core.slot_paths import find_root
from exemplars.dataset.catalog import Skill
from exemplars.dataset.leaves import build_arguments
from exemplars.dataset.texts import is_mentioned
from exemplars.models.calls import Call, CallFormat, format_calls
from exemplars.models.rows import Message, TargetCall, TrainingRow


def order_by_similarity(
    vectors: NDArray[np.float32], train_vectors: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Order the places of train rows, the nearest first, for each row: an array of shape (rows, train rows).

    vectors, train_vectors: unit vectors, one row per text. Of equal similarities the first place wins.
    """
    return np.argsort(-(vectors @ train_vectors.T), axis=1, kind="stable")


def choose_neighbors(
    order: Sequence[int], train: Sequence[TrainingRow], callable_names: Collection[str], count: int
) -> list[TrainingRow]:
    """Choose the nearest train rows whose calls are all among the functions that an answer may call.

    order: the places of all train rows, the nearest first.
    """
    fitting = (
        train[place] for place in order if all(call.skill in callable_names for call in train[place].calls)
    )
    return list(islice(fitting, count))


def predict_from_neighbor(
    utterance: str, neighbors: Sequence[TrainingRow], skills: Mapping[str, Skill], form: CallFormat
) -> str:
    """Predict the calls of the nearest train row, with only those of its arguments whose values the utterance says.

    neighbors: the nearest first; without any, nothing is called.
    """
    calls = [
        _build_call(utterance, target, skill)
        for target in (neighbors[0].calls if neighbors else ())
        if (skill := skills.get(target.skill)) is not None
    ]
    return format_calls(calls, form)


def _build_call(utterance: str, target: TargetCall, skill: Skill) -> Call:
    """Build a call without the arguments that have a value which the utterance does not mention."""
    missing = {
        find_root(answer.slot)
        for answer in target.answers
        if not any(is_mentioned(value, utterance) for value in answer.accepted)
    }
    leaves = [
        (answer.slot, answer.value) for answer in target.answers if find_root(answer.slot) not in missing
    ]
    return Call(skill.name, build_arguments(leaves, skill))


def insert_examples(messages: Sequence[Message], examples: Sequence[Sequence[Message]]) -> list[Message]:
    """Insert turns of examples into a prompt, after its system message.

    examples: the messages of train rows, the nearest first. Of each, the last two are inserted: the utterance
    and the answer. The nearest comes last, next to the question.
    """
    system = [message for message in messages if message.role == "system"]
    turns = [message for message in messages if message.role != "system"]
    shown = [message for example in reversed(examples) for message in example[-2:]]
    return [*system, *shown, *turns]
