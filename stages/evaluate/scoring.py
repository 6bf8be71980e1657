"""Predictions scored against expected calls: how much of a call is correct, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from rapidfuzz.distance import Levenshtein

from exemplars.core.call_syntax import Value
from exemplars.core.literals import format_literal, is_of_type, parse_literal
from exemplars.core.records import DONTCARE
from exemplars.dataset.catalog import Parameter, Skill
from exemplars.dataset.texts import make_equality_key
from exemplars.models.calls import Call, CallFormat, MalformedCall, parse_calls
from exemplars.models.rows import TrainingRow

_MISSPELLING_SIMILARITY: Final = 0.8
"""The edit similarity from which a wrong value counts as misspelled."""
_NGRAM_WORDS: Final = 4
_MAX_REPETITIONS: Final = 4
"""How often an n-gram must occur for a text to be repetitive."""


class ErrorKind(StrEnum):
    """What is wrong with a prediction."""

    RIGHT = "right"
    WRONG_SKILL = "wrong_skill"
    """It calls a different tool than the expected one."""
    MISSED = "missed"
    """It calls nothing where a call is expected."""
    IRRELEVANT_CALL = "irrelevant_call"
    """It calls something where no call is expected (BFCL's irrelevance)."""
    MISSING_ARGUMENT = "missing_argument"
    EXTRA_ARGUMENT = "extra_argument"
    WRONG_VALUE = "wrong_value"
    MISSPELLED = "misspelled"
    """All its wrong values are nearly the expected ones."""
    MALFORMED = "malformed"
    """It does not have the form of a call."""
    TOO_LONG = "too_long"
    """It did not end within `evaluate.max_new_tokens`."""
    REPETITIVE = "repetitive"
    """It did not end, and repeats the same words."""


class ExpectedCall(NamedTuple):
    """What a prediction is compared with."""

    skill: str | None
    """`None`: no call is expected."""
    accepted: Mapping[str, tuple[str, ...]]
    """All correct values of each argument, by slot."""
    groundings: Mapping[str, str]
    """How each argument's value is tied to the text, by slot."""
    tools: frozenset[str]
    """The names of the tools that the prompt shows."""


class Score(NamedTuple):
    """How correct a prediction is. The integers are counts, to be summed over rows."""

    kind: ErrorKind
    call: Call | None
    """As parsed; `None` if nothing is called, or if the prediction is malformed."""
    exact: int
    skill_correct: int
    arguments_correct: int
    arguments_predicted: int
    arguments_expected: int
    none_correct: int
    none_predicted: int
    none_expected: int
    well_formed: int
    hallucinated_function: int
    """1 if it calls a function that the prompt does not show."""
    hallucinated_arguments: int
    """The arguments that the called function does not have."""
    wrong_groundings: tuple[str, ...]
    """The groundings of the values that are wrong or missing."""


def build_expected_call(row: TrainingRow, tools: Sequence[Skill]) -> ExpectedCall:
    """Build what is expected for a row. tools: those that its prompt shows."""
    call = next(iter(row.calls), None)
    answers = () if call is None else call.answers
    return ExpectedCall(
        skill=None if call is None else call.skill,
        accepted={answer.slot: answer.accepted for answer in answers},
        groundings={answer.slot: answer.grounding for answer in answers},
        tools=frozenset(tool.name for tool in tools),
    )


def score_prediction(
    text: str, ended: bool, expected: ExpectedCall, skills: Mapping[str, Skill], form: CallFormat
) -> Score:
    """Score the text of a prediction.

    ended: whether the model ended its turn itself. The order of arguments does not matter; values are
    compared by `is_same_value`.

    >>> expected = ExpectedCall("ring", {"who": ("Ada",)}, {"who": "verbatim"}, frozenset({"ring"}))
    >>> skills = {"ring": Skill("ring", parameters=(Parameter("who"),))}
    >>> score_prediction('ring(who="ada")', True, expected, skills, CallFormat.PYTHON).kind.value
    'right'
    """
    parsed = _parse_only_call(text, form)
    call = None if isinstance(parsed, MalformedCall) else parsed
    predicted = dict(call.arguments) if call is not None else {}
    skill = skills.get(call.skill) if call is not None else None
    same_skill = call is not None and call.skill == expected.skill
    correct = _find_correct_slots(predicted, expected, skill) if same_skill else set()
    none_correct = parsed is None and expected.skill is None
    all_correct = same_skill and len(correct) == len(predicted) == len(expected.accepted)
    exact = ended and (none_correct or all_correct)
    return Score(
        kind=ErrorKind.RIGHT if exact else _classify_error(text, ended, parsed, expected, correct),
        call=call,
        exact=int(exact),
        skill_correct=int(same_skill or none_correct),
        arguments_correct=len(correct),
        arguments_predicted=len(predicted),
        arguments_expected=len(expected.accepted),
        none_correct=int(none_correct),
        none_predicted=int(parsed is None),
        none_expected=int(expected.skill is None),
        well_formed=int(not isinstance(parsed, MalformedCall)),
        hallucinated_function=int(call is not None and call.skill not in expected.tools),
        hallucinated_arguments=sum(skill is None or skill.find_parameter(slot) is None for slot in predicted),
        wrong_groundings=tuple(
            expected.groundings[slot] for slot in expected.accepted if slot not in correct
        ),
    )


def _parse_only_call(text: str, form: CallFormat) -> Call | MalformedCall | None:
    calls = parse_calls(text, form)
    if isinstance(calls, MalformedCall):
        return calls
    if len(calls) > 1:
        return MalformedCall("several calls")
    return calls[0] if calls else None


def _find_correct_slots(
    predicted: Mapping[str, Value], expected: ExpectedCall, skill: Skill | None
) -> set[str]:
    """Find the slots whose predicted value is accepted, and of the parameter's type."""
    return {
        slot
        for slot, value in predicted.items()
        if slot in expected.accepted
        and has_parameter_type(value, skill.find_parameter(slot) if skill else None)
        and is_accepted(value, expected.accepted[slot])
    }


def has_parameter_type(value: Value, parameter: Parameter | None) -> bool:
    """Return whether a value is of its parameter's type; `dontcare` is of every type."""
    return parameter is None or value == DONTCARE or is_of_type(value, parameter.type)


def is_accepted(value: Value, accepted: Sequence[str]) -> bool:
    """Return whether a value equals an accepted one."""
    return any(is_same_value(value, other) for other in accepted)


def is_same_value(value: Value, other: str) -> bool:
    """Return whether a value equals another, which is given as text: each type in its own sense.

    Numbers are equal as numbers, however they are written, and texts in the sense of `make_equality_key`.

    >>> is_same_value(5, "5.0"), is_same_value(5, "-5"), is_same_value(True, "True")
    (True, False, True)
    >>> is_same_value("New  York!", "new york"), is_same_value("C", "C++"), is_same_value("5", "-5")
    (True, False, False)
    """
    if isinstance(value, (str, bool)):
        return make_equality_key(format_literal(value)) == make_equality_key(other)
    number = parse_literal(other, "number")
    return isinstance(number, (int, float)) and number == value


def _classify_error(
    text: str, ended: bool, parsed: Call | MalformedCall | None, expected: ExpectedCall, correct: set[str]
) -> ErrorKind:
    if not ended:
        return ErrorKind.REPETITIVE if _is_repetitive(text) else ErrorKind.TOO_LONG
    if isinstance(parsed, MalformedCall):
        return ErrorKind.MALFORMED
    if parsed is None:
        return ErrorKind.MISSED
    if expected.skill is None:
        return ErrorKind.IRRELEVANT_CALL
    if parsed.skill != expected.skill:
        return ErrorKind.WRONG_SKILL
    wrong = [slot for slot in parsed.arguments if slot in expected.accepted and slot not in correct]
    if wrong:
        misspelled = all(_is_misspelled(parsed.arguments[slot], expected.accepted[slot]) for slot in wrong)
        return ErrorKind.MISSPELLED if misspelled else ErrorKind.WRONG_VALUE
    if set(expected.accepted) - set(parsed.arguments):
        return ErrorKind.MISSING_ARGUMENT
    return ErrorKind.EXTRA_ARGUMENT


def _is_misspelled(value: Value, accepted: Sequence[str]) -> bool:
    """Return whether a value is nearly an accepted one; values with digits never are."""
    text = make_equality_key(format_literal(value))
    return any(
        Levenshtein.normalized_similarity(text, make_equality_key(other)) >= _MISSPELLING_SIMILARITY
        for other in accepted
        if not any(character.isdigit() for character in text + other)
    )


def _is_repetitive(text: str) -> bool:
    words = text.split()
    ngrams = Counter(
        tuple(words[start : start + _NGRAM_WORDS]) for start in range(len(words) - _NGRAM_WORDS + 1)
    )
    return bool(ngrams) and max(ngrams.values()) >= _MAX_REPETITIONS
