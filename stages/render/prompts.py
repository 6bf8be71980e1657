"""Prompts and their answers as messages, before any model's chat template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exemplars.core.ledger import Problem
from exemplars.core.literals import Literal, parse_literal
from exemplars.core.records import Argument, Exemplar, Grounding, Reason, Speaker, Turn
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.texts import is_mentioned
from exemplars.models.calls import Call, CallFormat, format_calls, format_value
from exemplars.models.rows import Answer, Message, View
from stages.render.params import RenderParams, ToolForm, Values
from stages.render.tool_choice import find_called_skill, is_tool_withheld

_SPOKEN: Final = frozenset({Grounding.VERBATIM, Grounding.CASE, Grounding.NORMALIZED, Grounding.RECOGNIZED})
"""The kinds of grounding of a value that the utterance itself says."""
_ROLES: Final = {Speaker.USER: "user", Speaker.ASSISTANT: "assistant", Speaker.TOOL: "tool"}
_TYPE_NAMES: Final = {"integer": "int", "number": "float", "boolean": "bool"}


class Prompt(NamedTuple):
    """A prompt with its answer."""

    exemplar: Exemplar
    view: View
    slot: str | None
    """The parameter that the view `slot` asks for."""
    messages: tuple[Message, ...]
    """System, turns, user; the last is the answer."""
    tools: tuple[str, ...]
    """The names of the tools that are shown."""
    definitions: tuple[dict[str, Any], ...]
    """The OpenAI-style definitions of these tools."""
    form: ToolForm
    skill: str | None
    """The skill that the answer calls; `None`: no call."""
    answers: tuple[Answer, ...]

    @property
    def template_tools(self) -> tuple[dict[str, Any], ...]:
        """The definitions that the model's chat template shows; empty if the system message shows the tools."""
        return self.definitions if self.form == ToolForm.TEMPLATE else ()


class _Question(NamedTuple):
    """What a view asks of a row, with the text of the right answer."""

    view: View
    slot: str | None
    tools: Sequence[Skill]
    answer: str


def build_prompts(
    exemplar: Exemplar, skills: Mapping[str, Skill], tools: Sequence[str], params: RenderParams
) -> tuple[Prompt, ...] | Problem:
    """Build all prompts of an exemplar, in the order of the views; or say why there can be none.

    skills: the catalog, by name. tools: the names of the tools that the prompts show.
    """
    turns = exemplar.context[-params.context_turns :] if params.context_turns else ()
    if problem := _find_hidden_value(exemplar, turns):
        return problem
    name = None if is_tool_withheld(exemplar, params) else find_called_skill(exemplar)
    called = None if name is None else skills[name]
    answers = () if called is None else _build_answers(exemplar, called, params)
    shown = [skills[name] for name in tools]
    questions = [
        question
        for view in params.views
        for question in _ask(view, called, answers, shown, params.call_format)
    ]
    if not questions:
        return Problem(
            Reason.NOT_SUPERVISED,
            found=f"no parameter to ask for in the views {', '.join(params.views)}",
            fix="add call or skill to render.views",
        )
    return tuple(
        Prompt(
            exemplar=exemplar,
            view=question.view,
            slot=question.slot,
            messages=_build_messages(question, exemplar.utterance, turns, params),
            tools=tuple(tool.name for tool in question.tools),
            definitions=tuple(build_tool_definition(tool) for tool in question.tools),
            form=params.tools,
            skill=name,
            answers=tuple(answer for answer in answers if question.slot in (None, answer.slot)),
        )
        for question in questions
    )


def format_signature(skill: Skill) -> str:
    """Format a skill on one line.

    >>> from exemplars.dataset.catalog import Parameter
    >>> format_signature(Skill("light", parameters=(Parameter("action", enum=("on", "off")), Parameter("room"))))
    'light(action=on|off, room)'
    """
    parameters = []
    for parameter in skill.parameters:
        if parameter.enum:
            parameters.append(f"{parameter.name}={'|'.join(parameter.enum)}")
        else:
            type_ = _TYPE_NAMES.get(parameter.type or "")
            parameters.append(f"{parameter.name}:{type_}" if type_ else parameter.name)
    return f"{skill.name}({', '.join(parameters)})"


def _find_hidden_value(exemplar: Exemplar, turns: Sequence[Turn]) -> Problem | None:
    """Find values that the call needs and that were said before the shown turns only."""
    if find_called_skill(exemplar) is None:
        return None
    hidden = [
        argument.slot for argument in exemplar.arguments if not _is_shown(argument, exemplar.context, turns)
    ]
    if not hidden:
        return None
    return Problem(
        Reason.VALUE_NOT_IN_PROMPT,
        found=f"the value of {', '.join(hidden)} in a turn before the last {len(turns)}",
        fix="raise render.context_turns",
    )


def _is_shown(argument: Argument, context: Sequence[Turn], turns: Sequence[Turn]) -> bool:
    """Return whether the prompt shows what an argument's value comes from.

    context: all preceding turns. turns: those of them that the prompt shows, at the end.
    """
    if argument.grounding != Grounding.CONTEXT or len(turns) == len(context):
        return True
    hidden = context[: len(context) - len(turns)]
    return any(is_mentioned(argument.value, turn.utterance) for turn in turns) or not any(
        is_mentioned(argument.value, turn.utterance) for turn in hidden
    )


def _ask(
    view: View,
    called: Skill | None,
    answers: Sequence[Answer],
    tools: Sequence[Skill],
    form: CallFormat,
) -> Iterator[_Question]:
    """Yield the questions of a view: one, or one per parameter of the called skill."""
    if view == View.SKILL:
        yield _Question(view, None, tools, format_value(None if called is None else called.name, form))
        return
    call = None if called is None else _build_call(called, answers)
    if view == View.CALL:
        yield _Question(view, None, tools, format_calls([] if call is None else [call], form))
    elif called is not None and call is not None:
        for parameter in called.parameters:
            value = format_value(call.arguments.get(parameter.name), form)
            yield _Question(view, parameter.name, [called], value)


def _build_call(skill: Skill, answers: Sequence[Answer]) -> Call:
    """Build the call that a model is to make, its values typed by the catalog."""
    types = {parameter.name: parameter.type for parameter in skill.parameters}
    arguments: dict[str, Literal] = {}
    for answer in answers:
        value = parse_literal(answer.value, types.get(answer.slot))
        arguments[answer.slot] = value if isinstance(value, (str, int, float)) else str(value)
    return Call(skill.name, arguments)


def _build_answers(exemplar: Exemplar, skill: Skill, params: RenderParams) -> tuple[Answer, ...]:
    """Build the answers, in the order of the skill's parameters."""
    order = {parameter.name: position for position, parameter in enumerate(skill.parameters)}
    arguments = sorted(exemplar.arguments, key=lambda argument: order.get(argument.slot, len(order)))
    return tuple(_build_answer(argument, skill, params.values) for argument in arguments)


def _build_answer(argument: Argument, skill: Skill, values: Values) -> Answer:
    parameter = skill.find_parameter(argument.slot)
    is_free_text = (
        parameter is not None
        and not parameter.enum
        and parameter.type in ("string", None)
        and isinstance(parse_literal(argument.value, parameter.type), str)
    )
    spoken = argument.surface if argument.grounding in _SPOKEN and is_free_text else None
    value = spoken if spoken is not None and values == Values.SPOKEN else argument.value
    accepted = dict.fromkeys(form for form in (value, argument.value, spoken) if form is not None)
    return Answer(argument.slot, value, tuple(accepted), argument.grounding)


def _build_messages(
    question: _Question, utterance: str, turns: Sequence[Turn], params: RenderParams
) -> tuple[Message, ...]:
    system = _format_system(question, params)
    return (
        *([Message("system", system)] if system else []),
        *(Message(_ROLES[turn.speaker], turn.utterance) for turn in turns),
        Message("user", utterance),
        Message("assistant", question.answer),
    )


def _format_system(question: _Question, params: RenderParams) -> str:
    if question.view == View.SKILL:
        lines = ["Name the tool that is called, or none."]
    elif question.view == View.SLOT:
        lines = [f"Give the value of {question.slot}, or none."]
    else:
        lines = [params.instruction] if params.instruction else []
    if params.tools == ToolForm.COMPACT:
        lines += [format_signature(tool) for tool in question.tools]
    return "\n".join(lines)
