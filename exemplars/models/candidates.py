"""Candidate values: what a conversation says that a call may need, for a language model to choose from.

Recognizers find them without a model: times, dates and numbers by the expressions of grounding, and the words that
recognizers with lists know. A tagger finds those that it marks, and says which argument each of them fills.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from exemplars.core.records import Grounding
from exemplars.dataset.expressions.mentions import Mention, keep_longest
from exemplars.dataset.expressions.readings import find_expressions, read_value
from exemplars.dataset.recognizers import Recognizer
from exemplars.models.prompt_style import CandidateSource, PromptStyle, Values
from exemplars.models.questions import Candidate, Question

if TYPE_CHECKING:  # Its module imports torch, which takes a second.
    from exemplars.models.tagger.calls import TaggedTurn
    from exemplars.models.tagger.predictor import Tagger


class SaidValue(msgspec.Struct, frozen=True):
    """A value that a conversation says."""

    name: str
    """As the name of a `Candidate`."""
    surface: str
    """As said; of a value that a tagger takes from an earlier turn, its canonical form."""
    value: str
    """In its canonical form; as said, if it has none, as a relative date."""


CandidateFinder = Callable[[Sequence[Question]], list[tuple[Candidate, ...]]]
"""Finds the candidates of questions, in their order."""
MOST: Final = 12
"""The candidates of a prompt, at most: the last ones, so that a text full of numbers does not crowd out the rest."""
_KINDS: Final = ("time", "date", "number")
"""Of two expressions with the same words, the first of these is meant: "at 5" is a time before it is a number."""
_UNIT: Final = re.compile(r"\w+|[^\w\s]")
"""A word, or a sign that is no part of one: expressions begin and end with a unit."""


class ExpressionIndex:
    """The labels and expressions of recognizers with lists, by their words."""

    def __init__(self, recognizers: Mapping[str, Recognizer]) -> None:
        """Index recognizers by name. An expression of several is that of the first, by name and label."""
        self._known: dict[str, tuple[str, str]] = {}
        self._most_units = 0
        for name, recognizer in sorted(recognizers.items()):
            for instance in sorted(recognizer.instances, key=lambda instance: instance.label):
                for expression in (instance.label, *instance.expressions):
                    units = len(_UNIT.findall(expression))
                    if units:
                        self._known.setdefault(_fold(expression), (name, instance.label))
                        self._most_units = max(self._most_units, units)

    def find(self, text: str) -> list[Mention[tuple[str, str]]]:
        """Find all expressions in a text, ignoring case: each with its recognizer and its label.

        >>> from exemplars.dataset.recognizers import Instance
        >>> index = ExpressionIndex({"city": Recognizer((Instance("Rome", ("the eternal city",)),))})
        >>> index.find("The Eternal City!")
        [Mention(start=0, end=16, readings=(('city', 'Rome'),))]
        """
        units = [match.span() for match in _UNIT.finditer(text)] if self._known else []
        found = []
        for place, (start, _) in enumerate(units):
            for _, end in units[place : place + self._most_units]:
                known = self._known.get(_fold(text[start:end]))
                if known is not None:
                    found.append(Mention(start, end, (known,)))
        return found


def find_recognized(question: Question, context_turns: int, index: ExpressionIndex) -> list[SaidValue]:
    """Find the values that recognizers know: in the turns that a prompt shows, oldest first, then in the utterance.

    context_turns: the number of turns that a prompt shows, at most. index: the recognizers with lists.

    >>> find_recognized(Question("wake me at half past 7"), 2, ExpressionIndex({}))
    [SaidValue(name='time', surface='half past 7', value='07:30')]
    """
    before = question.context[-context_turns:] if context_turns else ()
    texts = [*(turn.utterance for turn in before), question.utterance]
    return [said for text in texts for said in _find_in_text(text, index)]


def _find_in_text(text: str, index: ExpressionIndex) -> list[SaidValue]:
    mentions: list[Mention[tuple[str, str]]] = [
        Mention(start, end, ((kind, read_value(text, start, end, kind, None) or text[start:end]),))
        for kind in _KINDS
        for start, end in find_expressions(text, kind)
    ]
    longest = keep_longest([*mentions, *index.find(text)])
    return [
        SaidValue(name, text[mention.start : mention.end], value)
        for mention in longest
        for name, value in mention.readings
    ]


def list_tagged(turn: TaggedTurn) -> list[SaidValue]:
    """List the values of a tagger's calls that the conversation says, by the paths of their arguments."""
    return [
        SaidValue(argument.slot, argument.surface or argument.value, argument.value)
        for call in turn.calls
        for argument in call.arguments
        if argument.surface is not None or argument.grounding is Grounding.CONTEXT
    ]


def choose_candidates(said: Iterable[SaidValue], values: Values) -> tuple[Candidate, ...]:
    """Choose the candidates that a prompt shows: as said, or in canonical form, each once.

    >>> choose_candidates([SaidValue("time", "half past 7", "07:30")], Values.CANONICAL)
    (Candidate(name='time', text='07:30'),)
    """
    shown = (
        Candidate(value.name, value.value if values is Values.CANONICAL else value.surface) for value in said
    )
    return tuple(dict.fromkeys(shown))[-MOST:]


def make_candidate_finder(
    style: PromptStyle, recognizers: Mapping[str, Recognizer] | None = None, tagger: Tagger | None = None
) -> CandidateFinder:
    """Make what finds the candidates of prompts of a style.

    recognizers: those with lists, by name. tagger: must be given if the style names it.
    """
    if style.candidates is CandidateSource.TAGGER:
        assert tagger is not None
        return lambda questions: [
            choose_candidates(list_tagged(turn), style.values) for turn in tagger.answer(questions)
        ]
    if style.candidates is CandidateSource.RECOGNIZER:
        index = ExpressionIndex(recognizers or {})
        return lambda questions: [
            choose_candidates(find_recognized(question, style.context_turns, index), style.values)
            for question in questions
        ]
    return lambda questions: [()] * len(questions)


def add_candidates(questions: Sequence[Question], find: CandidateFinder) -> list[Question]:
    """Add the candidates to questions."""
    return [
        question._replace(candidates=candidates)
        for question, candidates in zip(questions, find(questions), strict=True)
    ]


def format_candidates(candidates: Iterable[Candidate]) -> str:
    """Format candidates as a line of a prompt.

    >>> format_candidates([Candidate("time", "half past 7"), Candidate("number", "two")])
    'Said: time="half past 7", number="two"'
    """
    named = (f"{candidate.name}={json.dumps(candidate.text, ensure_ascii=False)}" for candidate in candidates)
    return f"Said: {', '.join(named)}"


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())
