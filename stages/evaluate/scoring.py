"""A prediction beside what is right: how much of it is, and what is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from rapidfuzz.distance import Levenshtein

from exemplars.core.literals import Literal, format_literal
from exemplars.core.records import DONTCARE
from exemplars.dataset.catalog import Parameter, Skill
from exemplars.dataset.texts import normalize_text
from exemplars.models.calls import Call, CallFormat, MalformedCall, parse_call

_NEAR: Final = 0.8
"""The edit similarity from which a wrong value counts as misspelt."""
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "string": str,
}
_DIGITS: Final = re.compile(r"\d+")
_LOOPS: Final = 4
"""How often a run of four words must occur for a text to be repetitive."""


class Kind(StrEnum):
    """What is wrong with a prediction."""

    RIGHT = "right"
    WRONG_SKILL = "wrong_skill"
    """Another tool is called than the right one."""
    MISSED = "missed"
    """Nothing is called, and a call is right."""
    INVENTED = "invented"
    """Something is called, and nothing is right."""
    MISSING_ARGUMENT = "missing_argument"
    EXTRA_ARGUMENT = "extra_argument"
    WRONG_VALUE = "wrong_value"
    MISSPELT = "misspelt"
    """A wrong value that is nearly the right one."""
    MALFORMED = "malformed"
    """Not the form of a call."""
    TOO_LONG = "too_long"
    """Not ended within the tokens admitted."""
    REPETITIVE = "repetitive"
    """The same words over and over, and not ended."""


class Target(NamedTuple):
    """What is right for a row."""

    skill: str | None
    accepted: Mapping[str, tuple[str, ...]]
    """All right values of each argument."""
    groundings: Mapping[str, str]
    tools: frozenset[str]
    """What the prompt shows."""


class Verdict(NamedTuple):
    """A prediction judged; the numbers are counts to be summed over rows."""

    kind: Kind
    call: Call | None
    """As parsed; null where nothing is called, or where it is malformed."""
    exact: int
    skill_right: int
    arguments_right: int
    arguments_predicted: int
    arguments_expected: int
    none_right: int
    none_predicted: int
    none_expected: int
    well_formed: int
    invented_skill: int
    """1 where a skill is called that the prompt does not show."""
    invented_parameters: int
    wrong_groundings: tuple[str, ...]
    """How the values are grounded that are wrong or missing."""


def target_of(row: Mapping[str, Any], tools: Sequence[Skill]) -> Target:
    """What is right for a row of `TRAINING_SCHEMA`; tools: those that it shows."""
    return Target(
        skill=row["call"],
        accepted={one["slot"]: tuple(one["accepted"]) for one in row["answers"]},
        groundings={one["slot"]: one["grounding"] for one in row["answers"]},
        tools=frozenset(one.name for one in tools),
    )


def judged(text: str, ended: bool, target: Target, skills: Mapping[str, Skill], form: CallFormat) -> Verdict:
    """Judge the text of a prediction.

    ended: whether the model ended its turn by itself. Keyword order, case and punctuation of values do
    not count, and numbers are compared as numbers.
    """
    parsed = parse_call(text, form)
    malformed = isinstance(parsed, MalformedCall)
    call = None if isinstance(parsed, MalformedCall) else parsed
    predicted = dict(call.arguments) if call is not None else {}
    same_skill = call is not None and call.skill == target.skill
    known = skills.get(call.skill) if call is not None else None
    right = {
        slot
        for slot, value in predicted.items()
        if same_skill
        and slot in target.accepted
        and is_typed(value, known.parameter(slot) if known else None)
        and is_right(value, target.accepted[slot])
    }
    none_predicted = parsed is None
    exact = ended and (
        (none_predicted and target.skill is None)
        or (same_skill and len(right) == len(predicted) == len(target.accepted))
    )
    return Verdict(
        kind=Kind.RIGHT if exact else _kind(text, ended, parsed, target, right),
        call=call,
        exact=int(exact),
        skill_right=int(same_skill or (none_predicted and target.skill is None)),
        arguments_right=len(right),
        arguments_predicted=len(predicted),
        arguments_expected=len(target.accepted),
        none_right=int(none_predicted and target.skill is None),
        none_predicted=int(none_predicted),
        none_expected=int(target.skill is None),
        well_formed=int(not malformed),
        invented_skill=int(call is not None and call.skill not in target.tools),
        invented_parameters=sum(known is None or known.parameter(slot) is None for slot in predicted),
        wrong_groundings=tuple(target.groundings[slot] for slot in target.accepted if slot not in right),
    )


def is_typed(value: Literal, parameter: Parameter | None) -> bool:
    """Whether a value is of its parameter's type; `dontcare` is of each, and an unknown type admits all."""
    if parameter is None or parameter.type not in _TYPES or value == DONTCARE:
        return True
    return isinstance(value, _TYPES[parameter.type]) and (
        isinstance(value, bool) == (parameter.type == "boolean")
    )


def is_right(value: Literal, accepted: Sequence[str]) -> bool:
    """Whether a value is one of those that are right: numbers by what they count, texts by their words."""
    text, is_number = format_literal(value), not isinstance(value, (str, bool))
    return any(_same_number(value, one) if is_number else _same_text(text, one) for one in accepted)


def _same_number(value: Literal, other: str) -> bool:
    try:
        return float(value) == float(other)
    except (ValueError, OverflowError):
        return False


def _same_text(text: str, other: str) -> bool:
    if text.strip().casefold() == other.strip().casefold():
        return True
    plain = normalize_text(text)
    # Without its sign, 10:30 reads as 1030.
    return plain == normalize_text(other) != "" and _DIGITS.findall(text) == _DIGITS.findall(other)


def _kind(
    text: str, ended: bool, parsed: Call | MalformedCall | None, target: Target, right: set[str]
) -> Kind:
    if not ended:
        return Kind.REPETITIVE if _repeats(text) else Kind.TOO_LONG
    if isinstance(parsed, MalformedCall):
        return Kind.MALFORMED
    if parsed is None:
        return Kind.MISSED
    if target.skill is None:
        return Kind.INVENTED
    if parsed.skill != target.skill:
        return Kind.WRONG_SKILL
    wrong = [slot for slot in parsed.arguments if slot in target.accepted and slot not in right]
    if wrong:
        near = all(_is_near(parsed.arguments[slot], target.accepted[slot]) for slot in wrong)
        return Kind.MISSPELT if near else Kind.WRONG_VALUE
    if set(target.accepted) - set(parsed.arguments):
        return Kind.MISSING_ARGUMENT
    return Kind.EXTRA_ARGUMENT


def _is_near(value: Literal, accepted: Sequence[str]) -> bool:
    text = normalize_text(format_literal(value))
    return any(
        Levenshtein.normalized_similarity(text, normalize_text(one)) >= _NEAR
        for one in accepted
        if not any(sign.isdigit() for sign in text + one)
    )


def _repeats(text: str) -> bool:
    words = text.split()
    runs = Counter(tuple(words[start : start + 4]) for start in range(len(words) - 3))
    return bool(runs) and max(runs.values()) >= _LOOPS
