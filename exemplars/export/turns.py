"""The turns of a split, as exports give them: what was said, the tools of the prompt, and the right calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from exemplars.core.records import Exemplar, Mode, Speaker, Turn
from exemplars.core.slot_paths import Leaf
from exemplars.dataset.catalog import Skill, build_tool_definition, parse_tool_definition
from exemplars.dataset.context_calls import parse_context_turn
from exemplars.dataset.leaves import build_arguments, decode_leaf
from exemplars.dataset.row_labels import CallLabels, RowLabels

if TYPE_CHECKING:  # Its module imports pyarrow, which would slow down every command.
    from exemplars.models.rows import TargetCall, TrainingRow

Document = dict[str, Any]
"""A JSON object."""
Tool = Mapping[str, Any]
"""An OpenAI-style tool definition, decoded."""


class ExportedCall(NamedTuple):
    """A call of the right answer, with its canonical values."""

    skill: str
    arguments: Mapping[str, Any]
    accepted: Mapping[str, Sequence[Leaf]]
    """The other values that count as right, by the path of their leaf."""


class ExportedTurn(NamedTuple):
    """A turn with its answer."""

    row: TrainingRow
    """As `train` gets it: with the preceding turns that fit, and values as they are said, if `render` asks for that."""
    exemplars: tuple[Exemplar, ...]
    """The rows of the turn, in the order of their calls."""
    tools: Sequence[Tool]
    """The tools of the prompt."""
    earlier_tools: Sequence[Tool]
    """The other tools that the assistant called before."""
    calls: tuple[ExportedCall, ...]
    """The calls of the right answer; empty: no call, or none that the tools of the prompt make possible."""

    @property
    def all_tools(self) -> Sequence[Tool]:
        """The tools of the prompt, then those that were called before."""
        return (*self.tools, *self.earlier_tools)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All that was said before the answer, oldest first."""
        first = self.exemplars[0]
        return (*first.context, Turn(first.speaker, first.utterance))

    @property
    def reply(self) -> str | None:
        """What the assistant says in addition to, or instead of, a call."""
        return self.row.reply if self.calls or _calls_nothing(self.exemplars) else None


def build_turns(
    rows: Iterable[TrainingRow], exemplars: Mapping[str, Exemplar], skills: Mapping[str, Skill]
) -> list[ExportedTurn]:
    """Build the turns of chat rows. exemplars: those of the rows, by id. skills: the catalog, by name."""
    return [_build_turn(row, tuple(exemplars[id_] for id_ in row.exemplar_ids), skills) for row in rows]


def follows_result(exemplar: Exemplar) -> bool:
    """Return whether the assistant called something before."""
    return any(turn.speaker is Speaker.TOOL for turn in exemplar.context) or exemplar.speaker is Speaker.TOOL


def build_labels(turn: ExportedTurn) -> RowLabels:
    """Build the labels of a turn, with all that a format may have no place for, still without their row."""
    called = {exemplar.skill for exemplar in turn.exemplars}
    return RowLabels(
        row="",
        calls=tuple(
            CallLabels(exemplar.mode, exemplar.skill, exemplar.service, exemplar.arguments)
            for exemplar in turn.exemplars
        ),
        turns=turn.turns,
        reply=turn.exemplars[0].reply,
        tools=[strip_tool(tool) for tool in turn.tools if tool["function"]["name"] in called],
    )


def strip_tool(tool: Tool) -> Document:
    """Copy a definition without the keys that begin with `x-`, which strict readers reject."""
    return {"type": "function", "function": _strip_extensions(tool["function"])}


def _strip_extensions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strip_extensions(inner) for key, inner in value.items() if not key.startswith("x-")}
    return [_strip_extensions(item) for item in value] if isinstance(value, list) else value


def _build_turn(
    row: TrainingRow, exemplars: tuple[Exemplar, ...], catalog: Mapping[str, Skill]
) -> ExportedTurn:
    tools: list[Tool] = msgspec.json.decode(row.tools)
    skills = {skill.name: skill for skill in map(parse_tool_definition, tools)}
    made = {
        call.name: None
        for turn in exemplars[0].context
        if turn.speaker is Speaker.ASSISTANT
        for call in parse_context_turn(turn.utterance)[1]
    }
    earlier = [
        build_tool_definition(catalog[name]) for name in made if name in catalog and name not in skills
    ]
    called = [exemplar for exemplar in exemplars if not _calls_nothing([exemplar])] if row.calls else []
    calls = (
        _build_call(exemplar, target, skills[target.skill])
        for exemplar, target in zip(called, row.calls, strict=True)
    )
    return ExportedTurn(row, exemplars, tools, earlier, tuple(calls))


def _build_call(exemplar: Exemplar, target: TargetCall, skill: Skill) -> ExportedCall:
    answers = {answer.slot: answer.accepted for answer in target.answers}
    accepted: dict[str, list[Leaf]] = {}
    for argument in exemplar.arguments:
        texts = dict.fromkeys((*answers.get(argument.slot, ()), *argument.accepted))
        others = [text for text in texts if text != argument.value]
        if others:
            parameter = skill.find_parameter(argument.slot)
            accepted[argument.slot] = [decode_leaf(text, parameter) for text in others]
    values = ((argument.slot, argument.value) for argument in exemplar.arguments)
    return ExportedCall(target.skill, build_arguments(values, skill), accepted)


def _calls_nothing(exemplars: Iterable[Exemplar]) -> bool:
    return all(exemplar.mode in (Mode.NONE, Mode.NEGATIVE) for exemplar in exemplars)
