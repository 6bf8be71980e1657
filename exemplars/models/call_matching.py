"""Predicted calls compared with expected ones, leaf by leaf, in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from exemplars.core.literals import Literal, format_literal, is_of_type, parse_literal
from exemplars.core.records import DONTCARE
from exemplars.core.slot_paths import Leaf, flatten_arguments
from exemplars.core.value_syntax import Value
from exemplars.dataset.catalog import Skill
from exemplars.dataset.leaves import decode_leaf, is_leaf_of
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.texts import make_equality_key
from exemplars.models.calls import Call


class ExpectedCall(NamedTuple):
    """A call that a prediction is to have."""

    skill: str
    accepted: Mapping[str, tuple[str, ...]]
    """All correct values of each leaf, by path, as text; if one after the first is empty, the leaf may be missing."""
    groundings: Mapping[str, str]
    """How each leaf's value is tied to the text, by path."""


class CallComparison(NamedTuple):
    """A predicted call, compared with an expected call of the same function."""

    predicted: Mapping[str, Leaf]
    """Its leaves, by path."""
    expected: ExpectedCall
    correct: frozenset[str]
    """The paths of the leaves that are correct."""
    left_out: frozenset[str]
    """The paths of the expected leaves that are missing, as they may be."""

    @property
    def is_exact(self) -> bool:
        """Whether all leaves are correct, and none is missing."""
        return not self.missing and len(self.correct) == len(self.predicted)

    @property
    def wrong(self) -> list[str]:
        """The paths of the leaves that have a wrong value."""
        return [
            path for path in self.predicted if path in self.expected.accepted and path not in self.correct
        ]

    @property
    def missing(self) -> list[str]:
        """The paths of the expected leaves that are missing or have a wrong value."""
        return [path for path in self.expected.accepted if path not in self.correct | self.left_out]


class CallMatching(NamedTuple):
    """Predicted calls, each with the expected call of its function that it has most in common with."""

    pairs: tuple[CallComparison, ...]
    missing: tuple[ExpectedCall, ...]
    """The expected calls that no predicted call is compared with."""
    extra: tuple[Call, ...]
    """The predicted calls that are compared with no expected call."""

    @property
    def is_exact(self) -> bool:
        """Whether the calls are the expected ones, all of them and no other."""
        return not self.missing and not self.extra and all(pair.is_exact for pair in self.pairs)


def match_calls(
    predicted: Sequence[Call], expected: Sequence[ExpectedCall], skills: Mapping[str, Skill]
) -> CallMatching:
    """Match predicted calls with expected calls of the same functions, so that most leaves are correct.

    If the calls are the expected ones in another order, that is the matching in which all leaves are correct.
    """
    leaves = [dict(flatten_arguments(call.arguments)) for call in predicted]
    comparisons = {
        (place, other): _compare(leaves[place], expected_call, skills.get(call.skill))
        for place, call in enumerate(predicted)
        for other, expected_call in enumerate(expected)
        if call.skill == expected_call.skill
    }
    weights = np.zeros((len(predicted), len(expected)), dtype=np.int64)
    for places, comparison in comparisons.items():
        weights[places] = 1 + len(comparison.correct)
    assigned = {
        (int(place), int(other)) for place, other in zip(*linear_sum_assignment(-weights), strict=True)
    }
    matched = sorted(assigned & comparisons.keys())
    used, fulfilled = {place for place, _ in matched}, {other for _, other in matched}
    return CallMatching(
        tuple(comparisons[pair] for pair in matched),
        tuple(call for other, call in enumerate(expected) if other not in fulfilled),
        tuple(call for place, call in enumerate(predicted) if place not in used),
    )


def _compare(predicted: Mapping[str, Leaf], expected: ExpectedCall, skill: Skill | None) -> CallComparison:
    correct = {
        path
        for path, leaf in predicted.items()
        if path in expected.accepted
        and _is_correct(leaf, expected.accepted[path], None if skill is None else skill.find_parameter(path))
    }
    left_out = {
        path for path, values in expected.accepted.items() if "" in values[1:] and path not in predicted
    }
    return CallComparison(predicted, expected, frozenset(correct), frozenset(left_out))


def _is_correct(leaf: Leaf, accepted: Sequence[str], parameter: Parameter | None) -> bool:
    return has_parameter_type(leaf, parameter) and is_accepted(leaf, accepted, parameter)


def has_parameter_type(value: Leaf, parameter: Parameter | None) -> bool:
    """Return whether a value is of its parameter's type; `dontcare` is of every type."""
    if parameter is None or value == DONTCARE:
        return True
    return is_of_type(value, parameter.type) if isinstance(value, Literal) else is_leaf_of(value, parameter)


def is_accepted(value: Leaf, accepted: Sequence[str], parameter: Parameter | None = None) -> bool:
    """Return whether a value equals an accepted one. parameter: that it fills; `None`: it is not declared."""
    return any(is_same_value(value, other, parameter) for other in accepted)


def is_same_value(value: Value, other: str, parameter: Parameter | None = None) -> bool:
    """Return whether a value equals another, which is given as text: each type in its own sense.

    Numbers are equal as numbers, however they are written, and texts in the sense of `make_equality_key`.
    parameter: that the values fill, which says what the text means; `None`: it is not declared.

    >>> is_same_value(5, "5.0"), is_same_value(5, "-5"), is_same_value(True, "True")
    (True, False, True)
    >>> is_same_value("New  York!", "new york"), is_same_value("C", "C++"), is_same_value("5", "-5")
    (True, False, False)
    >>> is_same_value(None, "None"), is_same_value([], "[]"), is_same_value([], "{}")
    (True, True, False)
    """
    decoded = decode_leaf(other, parameter)
    if not isinstance(value, Literal) or not isinstance(decoded, Literal):
        return type(value) is type(decoded) and value == decoded
    text = decoded if isinstance(decoded, str) else other
    if isinstance(value, (str, bool)):
        return make_equality_key(format_literal(value)) == make_equality_key(text)
    number = parse_literal(text, "number")
    return isinstance(number, (int, float)) and number == value
