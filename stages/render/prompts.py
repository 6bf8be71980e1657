"""Prompts and their answers as messages, before any model's chat template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from exemplars.core.ledger import Problem
from exemplars.core.records import Argument, Exemplar, Grounding, Reason, Speaker, Turn
from exemplars.core.slot_paths import find_root
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.texts import is_mentioned
from exemplars.models.calls import CallFormat, format_calls, format_value
from exemplars.models.prompt_style import ToolForm
from exemplars.models.prompting import arrange_messages
from exemplars.models.questions import Candidate, Question
from exemplars.models.rows import Message, TargetCall, TrainingRow, View
from exemplars.models.targets import build_call, build_target_calls
from exemplars.models.turns import TurnRows
from stages.render.examples import TemplatePair
from stages.render.params import RenderParams
from stages.render.tool_choice import are_tools_withheld
from stages.render.yes_no import AnsweredQuestion, YesNo


class Prompt(NamedTuple):
    """A prompt with its answer."""

    turn: TurnRows
    view: View
    slot: str | None
    """The parameter that the view `slot` asks for; of `pair`, `same` or `different`; of `yes_no`, the answer."""
    messages: tuple[Message, ...]
    """System, turns, the utterance; the last is the answer."""
    tools: tuple[str, ...]
    """The names of the tools that are shown."""
    definitions: tuple[dict[str, Any], ...]
    """The OpenAI-style definitions of these tools."""
    form: ToolForm
    calls: tuple[TargetCall, ...]
    """The calls of the answer, or what the view asks about them; empty: no call."""
    is_reply: bool
    """Whether the answer is the assistant's reply."""
    nearest: tuple[str, ...] = ()
    """The ids of the train rows that are shown as examples, by their templates or by their questions."""

    def insert_examples(self, examples: Sequence[TrainingRow]) -> Prompt:
        """Insert train rows, with their answers, after the system message, if this is a prompt of the view `call`."""
        if self.view != View.CALL:
            return self
        start = sum(message.role == "system" for message in self.messages[:1])
        shown = [message for row in examples for message in row.messages[-2:]]
        return self._replace(
            messages=(*self.messages[:start], *shown, *self.messages[start:]),
            nearest=tuple(row_id for row in examples for row_id in row.exemplar_ids),
        )

    @property
    def template_tools(self) -> tuple[dict[str, Any], ...]:
        """The definitions that the model's chat template shows; empty if the system message shows the tools."""
        return self.definitions if self.form == ToolForm.TEMPLATE else ()


class _Target(NamedTuple):
    """The right answer to a turn."""

    calls: tuple[TargetCall, ...]
    reply: str | None
    """What is said instead of a call, if anything."""


class _Question(NamedTuple):
    """What a view asks of a turn, with the text of the right answer."""

    view: View
    slot: str | None
    tools: Sequence[Skill]
    calls: tuple[TargetCall, ...]
    answer: str
    is_reply: bool = False
    pair: TemplatePair | None = None
    """What the view `pair` compares with the utterance."""
    answered: AnsweredQuestion | None = None
    """What the view `yes_no` asks about."""

    @property
    def nearest(self) -> tuple[str, ...]:
        """The ids of the train rows that are shown by their templates or questions."""
        if self.pair is not None:
            return (self.pair.row_id,)
        row_id = None if self.answered is None else self.answered.row_id
        return () if row_id is None else (row_id,)


def build_prompts(
    turn: TurnRows,
    skills: Mapping[str, Skill],
    tools: Sequence[str],
    params: RenderParams,
    pairs: Sequence[TemplatePair] = (),
    answered: AnsweredQuestion | None = None,
    candidates: Sequence[Candidate] = (),
) -> tuple[Prompt, ...] | Mapping[str, Problem]:
    """Build all prompts of a turn, in the order of the views; or say why there can be none.

    skills: the catalog, by name. tools: the names of the tools that the prompts show. pairs: the templates that the
    view `pair` compares with the utterance. answered: the question that the view `yes_no` asks about, if there is one.
    candidates: the values that the views `call` and `slot` show.
    Returns the prompts; or the problems of rows, by their ids.
    """
    context = turn.first.context
    before = context[-params.context_turns :] if params.context_turns else ()
    if problems := {row.id: problem for row in turn.rows if (problem := _find_hidden_value(row, before))}:
        return problems
    questions = _collect_questions(turn, skills, tools, params, pairs)
    if View.YES_NO in params.views and answered is not None:
        questions.append(_ask_yes_no(answered))
    if not questions:
        problem = Problem(
            Reason.NOT_SUPERVISED,
            found=f"nothing to ask for in the views {', '.join(params.views)}",
            fix="add call or skill to render.views",
        )
        return {row.id: problem for row in turn.rows}
    return tuple(_make_prompt(question, turn, params, candidates) for question in questions)


def _collect_questions(
    turn: TurnRows,
    skills: Mapping[str, Skill],
    tools: Sequence[str],
    params: RenderParams,
    pairs: Sequence[TemplatePair],
) -> list[_Question]:
    """Collect the questions of all views."""
    target = _build_target(turn, skills, params)
    shown = [skills[name] for name in tools]
    questions: list[_Question] = []
    for view in params.views:
        if view == View.PAIR:
            questions += [_ask_pair(pair, params.call_format) for pair in pairs]
        elif view != View.YES_NO:
            questions += _ask(view, target, shown, skills, params.call_format)
    return questions


def _make_prompt(
    question: _Question, turn: TurnRows, params: RenderParams, candidates: Sequence[Candidate]
) -> Prompt:
    shows_values = question.view in (View.CALL, View.SLOT) and bool(question.tools)
    asked = turn.question._replace(candidates=tuple(candidates) if shows_values else ())
    return Prompt(
        turn=turn,
        view=question.view,
        slot=question.slot,
        messages=_build_messages(question, asked, params),
        tools=tuple(tool.name for tool in question.tools),
        definitions=tuple(build_tool_definition(tool) for tool in question.tools),
        form=params.tools,
        calls=question.calls,
        is_reply=question.is_reply,
        nearest=question.nearest,
    )


def _find_hidden_value(row: Exemplar, turns: Sequence[Turn]) -> Problem | None:
    """Find values that the row's call needs and that were said before the shown turns only."""
    if not TurnRows((row,)).called_rows:
        return None
    hidden = [argument.slot for argument in row.arguments if not _is_shown(argument, row.context, turns)]
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


def _build_target(turn: TurnRows, skills: Mapping[str, Skill], params: RenderParams) -> _Target:
    """Build the right answer: the calls of the turn; without one, the reply.

    Text in addition to calls is not a part of the answer. Where the right tools are withheld, the answer is none: the
    reply is about them.
    """
    if are_tools_withheld(turn, params):
        return _Target((), None)
    calls = build_target_calls(turn, skills, params.values)
    return _Target(calls, None if calls else turn.reply)


def _ask(
    view: View, target: _Target, tools: Sequence[Skill], skills: Mapping[str, Skill], form: CallFormat
) -> Iterator[_Question]:
    """Yield the questions of a view: one, or one per parameter of each called skill.

    The view `slot` does not ask about a skill that the turn calls twice: the question does not say which call.
    """
    targets = target.calls
    names = [call.skill for call in targets]
    if view == View.SKILL:
        yield _Question(view, None, tools, targets, _format_names(names, form))
    elif view == View.CALL and target.reply is not None:
        yield _Question(view, None, tools, (), target.reply, is_reply=True)
    elif view == View.CALL:
        calls = [build_call(call, skills[call.skill]) for call in targets]
        yield _Question(view, None, tools, targets, format_calls(calls, form))
    else:
        for call in targets:
            if names.count(call.skill) == 1:
                yield from _ask_slots(call, skills[call.skill], form)


def _ask_pair(pair: TemplatePair, form: CallFormat) -> _Question:
    name = "same" if pair.is_same else "different"
    return _Question(View.PAIR, name, (), (), format_value(pair.is_same, form), pair=pair)


def _ask_yes_no(answered: AnsweredQuestion) -> _Question:
    answer = answered.answer
    return _Question(View.YES_NO, answer.lower(), (), (), answer.value, answered=answered)


def _ask_slots(call: TargetCall, skill: Skill, form: CallFormat) -> Iterator[_Question]:
    """Yield the questions for the values of a call, one for each parameter of its skill."""
    arguments = build_call(call, skill).arguments
    for parameter in skill.parameters:
        answers = tuple(answer for answer in call.answers if find_root(answer.slot) == parameter.name)
        value = format_value(arguments.get(parameter.name), form)
        yield _Question(View.SLOT, parameter.name, [skill], (TargetCall(skill.name, answers),), value)


def _format_names(names: Sequence[str], form: CallFormat) -> str:
    """Format the names of the called skills: none, one, or a list of them."""
    if len(names) > 1:
        return f"[{', '.join(format_value(name, form) for name in names)}]"
    return format_value(names[0] if names else None, form)


def _build_messages(question: _Question, asked: Question, params: RenderParams) -> tuple[Message, ...]:
    style = params.style
    if question.answered is not None:
        before = Turn(Speaker.ASSISTANT, question.answered.text)
        asked, style = asked._replace(context=(before,)), msgspec.structs.replace(style, context_turns=1)
    prompt = arrange_messages(_choose_instructions(question, params), style, question.tools, asked)
    return (*prompt, Message("assistant", question.answer))


def _choose_instructions(question: _Question, params: RenderParams) -> list[str]:
    """Choose the first lines of the system message."""
    if question.pair is not None:
        yes, no = (format_value(value, params.call_format) for value in (True, False))
        asked = f"Does the template mean the same as the utterance? Answer {yes} or {no}."
        return [asked, f"Template: {question.pair.template}"]
    if question.answered is not None:
        names = [answer.value for answer in YesNo]
        return [f"How is the question answered? Say {', '.join(names[:-1])} or {names[-1]}."]
    if question.view == View.SKILL:
        return ["Name the tool that is called, or none."]
    if question.view == View.SLOT:
        return [f"Give the value of {question.slot}, or none."]
    if question.is_reply and not question.tools:
        return []  # Without a tool there is nothing to call: instruction data alone has no tools.
    return [params.instruction] if params.instruction else []
