"""Predictions scored against expected calls: how much of them is correct, and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from rapidfuzz.distance import Levenshtein

from exemplars.core.literals import format_literal
from exemplars.core.slot_paths import Leaf, find_root, flatten_arguments
from exemplars.dataset.catalog import Skill
from exemplars.dataset.texts import make_equality_key
from exemplars.models.call_matching import CallMatching, ExpectedCall, match_calls
from exemplars.models.calls import Call, CallFormat, MalformedCall, is_call_prefix, parse_calls
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
    """It calls a different tool than an expected one."""
    MISSED = "missed"
    """It calls nothing where a call is expected."""
    IRRELEVANT_CALL = "irrelevant_call"
    """It calls something where no call is expected (BFCL's irrelevance)."""
    MISSING_CALL = "missing_call"
    """It makes only some of the expected calls."""
    EXTRA_CALL = "extra_call"
    """It makes the expected calls, and others."""
    MISSING_ARGUMENT = "missing_argument"
    EXTRA_ARGUMENT = "extra_argument"
    WRONG_VALUE = "wrong_value"
    MISSPELLED = "misspelled"
    """All its wrong values are nearly the expected ones."""
    MALFORMED = "malformed"
    """It does not have the form of a call."""
    TOO_LONG = "too_long"
    """It did not end within the limit of tokens."""
    REPETITIVE = "repetitive"
    """It did not end, and repeats the same words."""
    NOT_ASKED = "not_asked"
    """`render` rejected the turn, so that a language model is not asked."""


class ExpectedAnswer(NamedTuple):
    """What a prediction is compared with."""

    calls: tuple[ExpectedCall, ...]
    """In any order; empty: no call is expected."""
    tools: frozenset[str]
    """The names of the functions that an answer may call."""
    is_reply: bool = False
    """Whether the right answer is in words, whatever they are; only without calls."""


class Score(NamedTuple):
    """How correct a prediction is. The integers are counts, to be summed over rows."""

    kind: ErrorKind
    calls: tuple[Call, ...]
    """As parsed; empty if nothing is called, or if the prediction is malformed."""
    exact: int
    calls_compared: int
    """The expected or the predicted calls, whichever are more; at least 1, since no call is an answer, too."""
    skill_correct: int
    """The expected calls whose function is called; 1 if nothing is called, as expected."""
    arguments_correct: int
    """The leaves with a correct value; so are the arguments of the other counts."""
    arguments_predicted: int
    arguments_expected: int
    none_correct: int
    none_predicted: int
    none_expected: int
    well_formed: int
    calls_predicted: int
    """At least 1, as `calls_compared`."""
    hallucinated_functions: int
    """The calls of other functions than an answer may call."""
    hallucinated_arguments: int
    """The arguments that the called functions do not have."""
    wrong_groundings: tuple[str, ...]
    """The groundings of the values that are wrong or missing."""


def build_expected_answer(row: TrainingRow, names: Collection[str]) -> ExpectedAnswer:
    """Build what is expected for a row. names: of the functions that the answer may call."""
    calls = tuple(
        ExpectedCall(
            skill=call.skill,
            accepted={answer.slot: answer.accepted for answer in call.answers},
            groundings={answer.slot: answer.grounding for answer in call.answers},
        )
        for call in row.calls
    )
    is_reply = not calls and row.messages[-1].content == row.reply
    return ExpectedAnswer(calls, frozenset(names), is_reply)


def score_prediction(
    text: str, ended: bool, expected: ExpectedAnswer, skills: Mapping[str, Skill], form: CallFormat
) -> Score:
    """Score the text of a prediction.

    ended: whether the model ended its turn itself. The order of calls and of arguments does not matter: each call is
    compared with the expected call that it has most in common with. Values are compared by `is_same_value`.

    >>> from exemplars.dataset.parameters import Parameter
    >>> call = ExpectedCall("ring", {"who": ("Ada",)}, {"who": "verbatim"})
    >>> expected = ExpectedAnswer((call,), frozenset({"ring"}))
    >>> skills = {"ring": Skill("ring", parameters=(Parameter("who"),))}
    >>> score_prediction('ring(who="ada")', True, expected, skills, CallFormat.PYTHON).kind.value
    'right'
    """
    parsed = _parse_prediction(text, expected, form)
    calls = () if isinstance(parsed, MalformedCall) else parsed
    matching = match_calls(calls, expected.calls, skills)
    exact = ended and not isinstance(parsed, MalformedCall) and matching.is_exact
    none_predicted, none_expected = parsed == (), not expected.calls
    is_declared = [_is_declared(path, skills.get(call.skill)) for call in calls for path in _list_paths(call)]
    return Score(
        kind=ErrorKind.RIGHT if exact else _classify_error(text, ended, parsed, expected, matching),
        calls=calls,
        exact=int(exact),
        calls_compared=max(1, len(calls), len(expected.calls)),
        skill_correct=len(matching.pairs) or int(none_predicted and none_expected),
        arguments_correct=sum(len(pair.correct) for pair in matching.pairs),
        arguments_predicted=len(is_declared),
        arguments_expected=_count_expected(expected, matching),
        none_correct=int(none_predicted and none_expected),
        none_predicted=int(none_predicted),
        none_expected=int(none_expected),
        well_formed=int(not isinstance(parsed, MalformedCall)),
        calls_predicted=max(1, len(calls)),
        hallucinated_functions=sum(call.skill not in expected.tools for call in calls),
        hallucinated_arguments=is_declared.count(False),
        wrong_groundings=tuple(_list_wrong_groundings(matching)),
    )


def _parse_prediction(
    text: str, expected: ExpectedAnswer, form: CallFormat
) -> tuple[Call, ...] | MalformedCall:
    """Parse the calls of a prediction; where a reply is expected, words are no call.

    Words are what another word makes a text that can no longer become a call: a broken call could.
    """
    parsed = parse_calls(text, form)
    is_words = isinstance(parsed, MalformedCall) and not is_call_prefix(f"{text} and", form)
    return () if expected.is_reply and is_words else parsed


def _count_expected(expected: ExpectedAnswer, matching: CallMatching) -> int:
    """Count the leaves that are expected, without those that are left out and may be."""
    left_out = sum(len(pair.left_out) for pair in matching.pairs)
    return sum(len(call.accepted) for call in expected.calls) - left_out


def _list_paths(call: Call) -> list[str]:
    return [path for path, _ in flatten_arguments(call.arguments)]


def _is_declared(path: str, skill: Skill | None) -> bool:
    """Return whether a skill has what a path leads to; a value of a wrong type counts as its parameter."""
    if skill is None:
        return False
    root = skill.find_parameter(find_root(path))
    return root is not None and (root.schema is None or skill.find_parameter(path) is not None)


def _list_wrong_groundings(matching: CallMatching) -> Iterator[str]:
    for pair in matching.pairs:
        yield from (pair.expected.groundings[path] for path in pair.missing)
    for call in matching.missing:
        yield from call.groundings.values()


def _classify_error(
    text: str,
    ended: bool,
    parsed: tuple[Call, ...] | MalformedCall,
    expected: ExpectedAnswer,
    matching: CallMatching,
) -> ErrorKind:
    if not ended and not text:
        return ErrorKind.NOT_ASKED
    if not ended:
        return ErrorKind.REPETITIVE if _is_repetitive(text) else ErrorKind.TOO_LONG
    if isinstance(parsed, MalformedCall):
        return ErrorKind.MALFORMED
    if not parsed:
        return ErrorKind.MISSED
    if not expected.calls:
        return ErrorKind.IRRELEVANT_CALL
    if matching.missing:
        return ErrorKind.WRONG_SKILL if matching.extra else ErrorKind.MISSING_CALL
    if matching.extra:
        return ErrorKind.EXTRA_CALL
    wrong = [(pair, path) for pair in matching.pairs for path in pair.wrong]
    if wrong:
        misspelled = all(
            _is_misspelled(pair.predicted[path], pair.expected.accepted[path]) for pair, path in wrong
        )
        return ErrorKind.MISSPELLED if misspelled else ErrorKind.WRONG_VALUE
    if any(pair.missing for pair in matching.pairs):
        return ErrorKind.MISSING_ARGUMENT
    return ErrorKind.EXTRA_ARGUMENT


def _is_misspelled(value: Leaf, accepted: Sequence[str]) -> bool:
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
