"""What is asked and what is answered: a row's prompts before any model's template."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exemplars.core.digests import stable_fraction
from exemplars.core.literals import Literal, parse_literal
from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Reason, Turn
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.texts import normalize_text
from exemplars.models.calls import Call, format_call, format_value
from exemplars.models.rows import Answer, View
from stages.render.params import RenderParams, ToolForm, Values
from stages.render.tools import Need, signature

_AS_SAID: Final = frozenset({Grounding.VERBATIM, Grounding.CASE, Grounding.NORMALIZED, Grounding.RECOGNIZED})
_ROLES: Final = {"user": "user", "system": "assistant"}


class Prompt(NamedTuple):
    """One prompt with its answer."""

    exemplar: Exemplar
    view: View
    slot: str | None
    """The parameter that the view `slot` asks for."""
    messages: tuple[dict[str, str], ...]
    """System, turns, user; last the answer."""
    tools: tuple[str, ...]
    """The names of the tools shown."""
    definitions: tuple[dict[str, Any], ...]
    """What the model's template is given; empty where the tools stand in the system message."""
    skill: str | None
    """What the answer calls; null: nothing."""
    answers: tuple[Answer, ...]


class Refused(NamedTuple):
    """A row of which no prompt can be made."""

    exemplar: Exemplar
    reason: Reason
    found: str
    fix: str


def need_of(exemplar: Exemplar, others: Collection[str], params: RenderParams) -> Need:
    """Which tools the row's prompt must show, and which it must not.

    others: the skills that other rows call by the same utterance.
    """
    withheld = _is_withheld(exemplar, params)
    right = [exemplar.skill] if withheld and exemplar.skill else []
    return Need(
        id=exemplar.id,
        tool=None if withheld else exemplar.skill,
        barred=frozenset((*others, *right)),
        key=f"{params.salt} {exemplar.digest}",
    )


def prompts_of(
    exemplar: Exemplar, skills: Mapping[str, Skill], tools: Sequence[str], params: RenderParams
) -> Iterator[Prompt | Refused]:
    """All prompts of a row, in the order of the views; a refusal where there can be none.

    tools: the names of those that the prompts show.
    """
    called = _called(exemplar)
    shown = exemplar.context[-params.context_turns :] if params.context_turns else ()
    hidden = [one.slot for one in exemplar.arguments if called and not _is_shown(one, exemplar, shown)]
    if hidden:
        found = f"the value of {', '.join(hidden)} in a turn before the last {len(shown)}"
        yield Refused(exemplar, Reason.VALUE_NOT_IN_PROMPT, found, "raise render.context_turns")
        return
    right = None if _is_withheld(exemplar, params) else called
    answers = _answers(exemplar, skills[right], params) if right is not None else ()
    known = [skills[name] for name in tools]
    made = [
        one for view in params.views for one in _of_view(view, exemplar, shown, known, right, answers, params)
    ]
    if not made:
        found = f"no parameter to ask for in the views {', '.join(params.views)}"
        yield Refused(exemplar, Reason.NOT_SUPERVISED, found, "add the view call or skill to render.views")
    yield from made


def _called(exemplar: Exemplar) -> str | None:
    """The skill that the row calls: a declined one is not called."""
    return None if exemplar.mode in (Mode.NONE, Mode.NEGATIVE) else exemplar.skill


def _is_withheld(exemplar: Exemplar, params: RenderParams) -> bool:
    """Whether the right tool is not shown, so that the answer is none."""
    return (
        _called(exemplar) is not None and stable_fraction(exemplar.digest, params.salt) < params.without_tool
    )


def _of_view(
    view: View,
    exemplar: Exemplar,
    shown: Sequence[Turn],
    tools: Sequence[Skill],
    right: str | None,
    answers: tuple[Answer, ...],
    params: RenderParams,
) -> Iterator[Prompt]:
    skills = {one.name: one for one in tools}
    targets: list[tuple[str | None, str]]
    if view == View.CALL:
        call = None if right is None else call_of(right, answers, skills[right])
        targets = [(None, format_call(call, params.call_format))]
    elif view == View.SKILL:
        targets = [(None, format_value(right, params.call_format))]
    elif right is None:
        targets = []
    else:
        values = call_of(right, answers, skills[right]).arguments
        targets = [
            (one.name, format_value(values.get(one.name), params.call_format))
            for one in skills[right].parameters
        ]
        tools = [skills[right]]
    for slot, target in targets:
        system = _system(view, slot, tools, params)
        messages = [{"role": "system", "content": system}] if system else []
        messages += [{"role": _ROLES[turn.speaker], "content": turn.utterance} for turn in shown]
        messages.append({"role": "user", "content": exemplar.utterance})
        messages.append({"role": "assistant", "content": target})
        names = tuple(one.name for one in tools)
        definitions = tuple(build_tool_definition(one) for one in tools)
        yield Prompt(
            exemplar,
            view,
            slot,
            tuple(messages),
            names,
            definitions if params.tools == ToolForm.TEMPLATE else (),
            right,
            tuple(one for one in answers if slot in (None, one.slot)),
        )


def call_of(skill: str, answers: Sequence[Answer], definition: Skill) -> Call:
    """The call that a model is to make, its values typed by the catalog."""
    types = {one.name: one.type for one in definition.parameters}
    arguments: dict[str, Literal] = {
        one.slot: _literal(parse_literal(one.value, types.get(one.slot))) for one in answers
    }
    return Call(skill, arguments)


def _literal(value: object) -> Literal:
    return value if isinstance(value, (str, int, float)) else str(value)


def _answers(exemplar: Exemplar, skill: Skill, params: RenderParams) -> tuple[Answer, ...]:
    """The arguments in the order of the skill's parameters."""
    order = {one.name: place for place, one in enumerate(skill.parameters)}
    ranked = sorted(exemplar.arguments, key=lambda one: order.get(one.slot, len(order)))
    return tuple(_answer(one, skill, params) for one in ranked)


def _answer(argument: Argument, skill: Skill, params: RenderParams) -> Answer:
    parameter = skill.parameter(argument.slot)
    free = parameter is not None and not parameter.enum and parameter.type in ("string", None)
    said = argument.surface if argument.grounding in _AS_SAID and free else None
    value = said if said is not None and params.values == Values.SPOKEN else argument.value
    accepted = tuple(dict.fromkeys(one for one in (value, argument.value, said) if one is not None))
    return Answer(argument.slot, value, accepted, argument.grounding)


def _is_shown(argument: Argument, exemplar: Exemplar, shown: Sequence[Turn]) -> bool:
    """Whether the prompt holds what the value was said by; where all turns are shown, it does."""
    if argument.grounding != Grounding.CONTEXT or len(shown) == len(exemplar.context):
        return True
    value = normalize_text(argument.value)
    before = exemplar.context[: len(exemplar.context) - len(shown)]
    return any(value in normalize_text(turn.utterance) for turn in shown) or not any(
        value in normalize_text(turn.utterance) for turn in before
    )


def _system(view: View, slot: str | None, tools: Sequence[Skill], params: RenderParams) -> str:
    lines = [params.instruction] if params.instruction else []
    if view == View.SKILL:
        lines = ["Name the tool that is called, or none."]
    if view == View.SLOT:
        lines = [f"Give the value of {slot}, or none."]
    if params.tools == ToolForm.COMPACT:
        lines += [signature(one) for one in tools]
    return "\n".join(lines)
