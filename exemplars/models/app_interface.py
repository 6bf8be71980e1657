"""What an application needs to ask a trained model: the messages of a prompt, and the calls in an answer."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from exemplars.core.records import Speaker, Turn
from exemplars.dataset.catalog import Skill, parse_tool_definition
from exemplars.models.call_values import ground_call
from exemplars.models.calls import CallFormat, MalformedCall, parse_calls
from exemplars.models.candidates import add_candidates, make_candidate_finder
from exemplars.models.prompt_style import CandidateSource, PromptStyle
from exemplars.models.prompting import arrange_messages, build_messages
from exemplars.models.questions import Candidate, Question

Tool = Skill | Mapping[str, Any]
"""A skill of a catalog, or an OpenAI-style tool definition."""
_JSON_STARTS: Final = ("{", "[{", "null")


def prompt(
    utterance: str,
    context: Sequence[Mapping[str, str] | Turn] = (),
    tools: Sequence[Tool] = (),
    style: PromptStyle | None = None,
    candidates: Sequence[tuple[str, str]] | None = None,
) -> list[dict[str, str]]:
    """Build the messages of a prompt as training had them, for `tokenizer.apply_chat_template`.

    context: the turns before, the oldest first: `{"role": "user", "content": "hello"}`. tools: those that may be
    called; without any, the prompt asks for no call. style: that of the run; by default that of a project without a
    section `render`. candidates: values that were said, each after its name; `None`: if the style shows those of
    recognizers, the times, dates and numbers. What recognizers with lists or a tagger find has to be given.

    >>> tool = {"type": "function", "function": {"name": "ring", "parameters": {"properties": {"contact": {}}}}}
    >>> for message in prompt("ring Maria", tools=[tool]): print(message)
    {'role': 'system', 'content': 'Call one tool, or answer None.\\nring(contact)'}
    {'role': 'user', 'content': 'ring Maria'}
    """
    style = style or PromptStyle()
    question = Question(utterance, _read_turns(context))
    if candidates is not None:
        question = question._replace(candidates=tuple(Candidate(*candidate) for candidate in candidates))
    elif style.candidates is CandidateSource.RECOGNIZER:
        (question,) = add_candidates([question], make_candidate_finder(style))
    skills = list(map(_read_skill, tools))
    if not skills:
        plain = question._replace(candidates=())
        return list(map(msgspec.structs.asdict, arrange_messages((), style, (), plain)))
    return list(map(msgspec.structs.asdict, build_messages(style, skills, question)))


def parse(
    text: str,
    tools: Sequence[Tool] = (),
    utterance: str = "",
    context: Sequence[Mapping[str, str] | Turn] = (),
    today: datetime.date | None = None,
) -> list[dict[str, Any]]:
    """Parse the answer of a model into calls, `{"name": ..., "arguments": {...}}`, their values in canonical form.

    An empty list is "no call". tools: those of the prompt; the values of other calls stay as they are. utterance,
    context: those of the prompt, whose words decide what a number means. today: what relative dates refer to.
    Raises `ValueError` if the text is neither a call nor "no call".

    >>> time = {"type": "string", "x-recognizer": "time"}
    >>> tool = {"type": "function", "function": {"name": "wake", "parameters": {"properties": {"time": time}}}}
    >>> parse('wake(time="half past 7")', [tool])
    [{'name': 'wake', 'arguments': {'time': '07:30'}}]
    >>> parse("None")
    []
    """
    is_json = text.lstrip().startswith(_JSON_STARTS)
    calls = parse_calls(text, CallFormat.JSON if is_json else CallFormat.PYTHON)
    if isinstance(calls, MalformedCall):
        raise ValueError(f"not a call: {calls.why}")
    question = Question(utterance, _read_turns(context), today=today)
    skills = {skill.name: skill for skill in map(_read_skill, tools)}
    grounded = [
        ground_call(call, skills[call.skill], question).build_call(skills[call.skill])
        if call.skill in skills
        else call
        for call in calls
    ]
    return [{"name": call.skill, "arguments": dict(call.arguments)} for call in grounded]


def _read_turns(context: Sequence[Mapping[str, str] | Turn]) -> tuple[Turn, ...]:
    return tuple(
        turn if isinstance(turn, Turn) else Turn(Speaker(turn["role"]), turn["content"]) for turn in context
    )


def _read_skill(tool: Tool) -> Skill:
    return tool if isinstance(tool, Skill) else parse_tool_definition(tool)
