"""The answer to a question, for programs and for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from exemplars.core.records import ALIGNED, Argument
from exemplars.dataset.catalog import Skill
from exemplars.dataset.leaves import build_arguments
from exemplars.models.calls import Call, CallFormat, format_call, format_value

_MEANT: Final = {
    "boolean": "meant",
    "categorical": "meant",
    "composed": "written by the model",
    "context": "said earlier",
    "default": "the default",
    "dontcare": "no preference",
}
"""How a value without words in the utterance came about, by its grounding."""


class AnsweredCall(msgspec.Struct, frozen=True):
    """A call with canonical values."""

    skill: str
    arguments: Mapping[str, Any]
    """By the names of the parameters, typed by the catalog."""
    spans: tuple[Argument, ...]
    """The leaves of the arguments, and where the utterance says them: code points, end exclusive."""

    @property
    def call(self) -> Call:
        """The call alone."""
        return Call(self.skill, self.arguments)


class Answer(msgspec.Struct, frozen=True):
    """What a system says to a question."""

    system: str
    """The name of the run that answered."""
    calls: tuple[AnsweredCall, ...] = ()
    """Empty: nothing is called."""
    confidence: float | None = None
    """The calibrated probability that all of it is right; `None`: the system does not know."""
    problem: str | None = None
    """Why the system cannot answer, or is too uncertain to; `None`: it answers."""
    handed_over: str | None = None
    """Why a system that was asked before did not answer."""
    reply: str | None = None
    """What the assistant says instead of a call."""
    is_cut: bool = False
    """Whether it has more tokens than a limit allows."""
    is_too_long: bool = False
    """Whether the question is too long for the system, which is its problem."""
    prompt_tokens: int = 0
    answer_tokens: int = 0


def make_answered_call(skill: Skill, arguments: tuple[Argument, ...]) -> AnsweredCall:
    """Make a call from the leaves of its arguments. Raises `ValueError` if they do not fit together."""
    leaves = [(argument.slot, argument.value) for argument in arguments]
    return AnsweredCall(skill.name, build_arguments(leaves, skill), arguments)


def encode_answer(answer: Answer) -> dict[str, Any]:
    """Encode an answer for programs: `calls` with `name`, `arguments` and `spans`, `system`, `confidence`."""
    return {
        "calls": [
            {
                "name": call.skill,
                "arguments": dict(call.arguments),
                "spans": {span.slot: _encode_span(span) for span in call.spans},
            }
            for call in answer.calls
        ],
        "reply": answer.reply,
        "system": answer.system,
        "confidence": None if answer.confidence is None else round(answer.confidence, 4),
        "problem": answer.problem,
        "handed_over": answer.handed_over,
    }


def _encode_span(span: Argument) -> dict[str, Any]:
    encoded: dict[str, Any] = {"value": span.value, "grounding": span.grounding.value}
    if span.start is not None:
        encoded |= {"text": span.surface, "start": span.start, "end": span.end}
    return encoded


def format_answer(answer: Answer) -> list[str]:
    """Format an answer as lines for people: each call with the words that say its values, then who answered."""
    lines = [line for call in answer.calls for line in _format_call(call)]
    if not lines:
        lines = [answer.reply if answer.reply is not None else "no call"]
    who = answer.system
    if answer.confidence is not None:
        who += f", confidence {answer.confidence:.2f}"
    lines.append(f"  by {who}")
    if answer.handed_over is not None:
        lines.append(f"  asked because {answer.handed_over}")
    if answer.problem is not None:
        lines.append(f"  not sure: {answer.problem}")
    return lines


def _format_call(call: AnsweredCall) -> Iterator[str]:
    yield format_call(call.call, CallFormat.PYTHON)
    for span in call.spans:
        value = format_value(span.value, CallFormat.PYTHON)
        if span.grounding in ALIGNED and span.start is not None:
            said = format_value(span.surface, CallFormat.PYTHON)
            yield f"  {span.slot} = {value}: {said}, characters {span.start} to {span.end}"
        else:
            yield f"  {span.slot} = {value}: {_MEANT.get(span.grounding.value, span.grounding.value)}"
