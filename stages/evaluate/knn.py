"""The nearest train rows of a row, by the embeddings of their utterances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exemplars.core.literals import Literal, parse_literal
from exemplars.dataset.catalog import Skill
from exemplars.dataset.texts import normalize_text
from exemplars.models.calls import Call, CallFormat, format_call


def nearest_rows(
    vectors: NDArray[np.float32], train_vectors: NDArray[np.float32], count: int
) -> NDArray[np.int64]:
    """The places of the nearest train rows, the nearest first, shape (rows, count).

    Both: unit vectors, a row a text. Of equal similarities the first place wins.
    """
    similarities = vectors @ train_vectors.T
    count = min(count, train_vectors.shape[0])
    return np.argsort(-similarities, axis=1, kind="stable")[:, :count]


def call_of_nearest(
    utterance: str, near: Mapping[str, Any], skills: Mapping[str, Skill], form: CallFormat
) -> str:
    """The call of a train row, with those of its values that the utterance holds, too."""
    skill = skills.get(near["call"]) if near["call"] else None
    if skill is None:
        return format_call(None, form)
    text = f" {normalize_text(utterance)} "
    arguments: dict[str, Literal] = {}
    for answer in near["answers"]:
        parameter = skill.parameter(answer["slot"])
        if any(f" {normalize_text(one)} " in text for one in answer["accepted"] if normalize_text(one)):
            value = parse_literal(answer["value"], parameter.type if parameter else None)
            arguments[answer["slot"]] = value if isinstance(value, Literal) else str(value)
    return format_call(Call(skill.name, arguments), form)


def with_examples(
    messages: Sequence[Mapping[str, str]], examples: Sequence[Sequence[Mapping[str, str]]]
) -> list[Mapping[str, str]]:
    """The messages of a prompt, with turns of examples behind its system message.

    examples: messages of train rows; of each the last two, what the user says and the answer. The
    nearest stands last, next to what is asked.
    """
    system = [one for one in messages if one["role"] == "system"]
    turns = [one for one in messages if one["role"] != "system"]
    shown = [turn for example in reversed(examples) for turn in example[-2:]]
    return [*system, *shown, *turns]
