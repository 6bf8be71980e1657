"""Canonical values of the calls that a language model writes, and where the conversation says them.

A language model writes values as they are said ("half past 7"). The expressions by which `compile` finds a labeled
value in a text read the words back.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.records import DONTCARE, Argument, Grounding, LabelledArgument
from exemplars.dataset.catalog import Skill
from exemplars.dataset.expressions.readings import READABLE, read_value
from exemplars.dataset.expressions.values import find_value
from exemplars.dataset.expressions.verbatim import Span, find_exact, find_ignoring_case
from exemplars.dataset.expressions.words import is_value
from exemplars.dataset.leaves import build_arguments, decode_leaf, encode_leaf, is_leaf_of, list_leaves
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Recognizer
from exemplars.dataset.texts import make_equality_key
from exemplars.models.calls import Call
from exemplars.models.questions import Question

_HOUR: Final = "at "
"""Before a number alone, what makes it an hour."""


class GroundedCall(NamedTuple):
    """A call with canonical values, and where the conversation says them."""

    skill: str
    arguments: tuple[Argument, ...]
    """One for each leaf, in the order of the call; its `slot` is the path of the leaf."""

    def build_call(self, skill: Skill | None) -> Call:
        """Build the call, its values typed by the catalog. skill: the entry of the catalog, if there is one."""
        leaves = [(argument.slot, argument.value) for argument in self.arguments]
        return Call(self.skill, build_arguments(leaves, skill))


def ground_call(
    call: Call,
    skill: Skill,
    question: Question,
    recognizers: Mapping[str, Recognizer] | None = None,
) -> GroundedCall:
    """Replace the values of a call by canonical ones, and find where the conversation says them.

    skill: that of the call, in the catalog. question: what was said. recognizers: those with lists of values, by name.
    A value that nothing reads stays as it is. Raises `ValueError` if the values are nested too deeply.

    >>> alarm = Skill("set_alarm", parameters=(Parameter("time", recognizer="time"),))
    >>> call = Call("set_alarm", {"time": "half past 7"})
    >>> ground_call(call, alarm, Question("wake me at half past 7")).arguments[0].value
    '07:30'
    """
    arguments = []
    for path, leaf, parameter in list_leaves(dict(call.arguments), skill):
        declared = parameter or Parameter(path, type=None)
        text = encode_leaf(leaf, declared)
        arguments.append(_ground(path, text, declared, question, recognizers or {}))
    return GroundedCall(call.skill, tuple(arguments))


def _ground(
    path: str, text: str, parameter: Parameter, question: Question, recognizers: Mapping[str, Recognizer]
) -> Argument:
    utterance = question.utterance
    span = _find_words(path, text, parameter, question)
    place = (text, 0, len(text)) if span is None else (utterance, *span)
    value = _read(text, place, parameter, question.today, recognizers)
    if span is None:
        return Argument(path, value, None, None, None, _explain(value, parameter, question))
    surface = utterance[span[0] : span[1]]
    if value == surface:
        grounding = Grounding.VERBATIM
    elif value.casefold() == surface.casefold():
        grounding = Grounding.CASE
    else:
        grounding = Grounding.RECOGNIZED if parameter.recognizer else Grounding.NORMALIZED
    return Argument(path, value, surface, *span, grounding)


def _find_words(path: str, text: str, parameter: Parameter, question: Question) -> Span | None:
    """Find the words of the utterance that say a value; of several places the last."""
    utterance = question.utterance
    if spans := find_exact(utterance, text) or find_ignoring_case(utterance, text):
        return spans[-1]
    mentions = find_value(utterance, LabelledArgument(path, text), parameter, question.today)
    return (mentions[-1].start, mentions[-1].end) if mentions else None


def _read(
    text: str,
    place: tuple[str, int, int],
    parameter: Parameter,
    today: datetime.date | None,
    recognizers: Mapping[str, Recognizer],
) -> str:
    """Read a value as a canonical one; as it is if its parameter would not accept what is read.

    place: the text that says it, with start and end.
    """
    if parameter.enum:
        return _select(text, parameter.enum)
    kind = "number" if parameter.type in ("integer", "number") else parameter.recognizer
    value = None
    if kind in READABLE:
        value = _read_kind(text, place, kind, today)
    elif kind is not None and kind in recognizers:
        value = _recognize(text, recognizers[kind])
    if value is None or not is_leaf_of(decode_leaf(value, parameter), parameter):
        return text
    return value


def _select(text: str, values: Sequence[str]) -> str:
    """Select the listed value that a text is, or else says in other words."""
    if text in values:
        return text
    same = [value for value in values if value.casefold() == text.casefold()]
    return next(iter(same or [value for value in values if is_value(text, value)]), text)


def _read_kind(text: str, place: tuple[str, int, int], kind: str, today: datetime.date | None) -> str | None:
    value = read_value(*place, kind, today)
    if value is None and kind == "time":
        return read_value(_HOUR + text, len(_HOUR), len(_HOUR + text), kind, today)
    return value


def _recognize(text: str, recognizer: Recognizer) -> str | None:
    """Return the label of the value whose label, or else one of whose expressions, is the text."""
    key = make_equality_key(text)
    for instance in recognizer.instances:
        if make_equality_key(instance.label) == key:
            return instance.label
    for instance in recognizer.instances:
        if any(make_equality_key(expression) == key for expression in instance.expressions):
            return instance.label
    return None


def _explain(value: str, parameter: Parameter, question: Question) -> Grounding:
    """Explain a value that the utterance does not say."""
    if value == DONTCARE:
        return Grounding.DONTCARE
    if any(find_ignoring_case(turn.utterance, value) for turn in question.context):
        return Grounding.CONTEXT
    if parameter.enum:
        return Grounding.CATEGORICAL
    if parameter.type == "boolean":
        return Grounding.BOOLEAN
    return Grounding.DEFAULT if value == parameter.default else Grounding.COMPOSED
