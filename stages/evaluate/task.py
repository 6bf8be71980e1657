"""The test turns under a condition: what the systems are asked, and what is right."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.conditions import Condition
from exemplars.core.digests import hash_to_fraction
from exemplars.core.ids import make_view_id
from exemplars.core.records import Exemplar
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.models.calls import format_calls
from exemplars.models.candidates import CandidateFinder
from exemplars.models.chat_templates import ChatTemplateError
from exemplars.models.copying import CopyRules
from exemplars.models.prompt_style import PromptStyle
from exemplars.models.prompting import build_messages, encode_prompt
from exemplars.models.questions import Question
from exemplars.models.render_manifest import RenderManifest
from exemplars.models.rows import Message, TrainingRow, View, list_tool_names
from exemplars.models.targets import build_call, build_target_calls
from exemplars.models.turns import TurnRows, collect_turns

_SEED: Final = "evaluate"


class Task(NamedTuple):
    """The test turns under a condition, and what helps to answer them."""

    condition: Condition
    rows: Sequence[TrainingRow]
    """The turns as chat rows; one without tokens was rejected by `render`, and is not shown to a language model."""
    questions: Sequence[Question]
    skills: Mapping[str, Skill]
    """The catalog, by name."""
    neighbors: Sequence[Sequence[TrainingRow]]
    """The nearest train rows of each row, the nearest first; under `oracle` of those that call only shown tools."""
    seen_services: frozenset[str]
    """The services of the train rows."""
    style: PromptStyle
    copy_rules: CopyRules | None = None
    """What a grammar says of texts; `None`: they are any texts."""
    find_candidates: CandidateFinder | None = None
    """Finds the values that prompts show; `None`: they show none."""

    def list_callable(self, place: int) -> Collection[str]:
        """List the functions that the answer to a row may call: the shown tools, or the whole catalog."""
        row = self.rows[place]
        is_limited = self.condition is Condition.ORACLE and row.prompt_tokens > 0
        return list_tool_names(row) if is_limited else self.skills.keys()


def sample_turns(
    exemplars: Iterable[Exemplar], left_out: Collection[str], limit: int | None
) -> list[TurnRows]:
    """Sample the test turns, sorted by id: the first by stable hash, with their speech views.

    left_out: the ids of the rows that `render` did not sample. limit: the number of turns; `None`: all.
    """
    turns = collect_turns(row for row in exemplars if row.id not in left_out)
    keys = sorted({turn.sampling_key for turn in turns}, key=lambda key: hash_to_fraction(key, _SEED))
    sampled = set(keys if limit is None else keys[:limit])
    return sorted((turn for turn in turns if turn.sampling_key in sampled), key=lambda turn: turn.id)


def build_rows(
    condition: Condition,
    turns: Sequence[TurnRows],
    questions: Sequence[Question],
    rendered: Mapping[str, TrainingRow],
    shown: Sequence[Sequence[Skill]],
    skills: Mapping[str, Skill],
    manifest: RenderManifest,
) -> list[TrainingRow]:
    """Build the chat rows of turns under a condition, without tokens where `render` did not make them.

    questions: of the turns. rendered: the test rows of `render`, by id. shown: the tools that the prompt of each turn
    shows under `end_to_end`, where the calls of the split are right even if `render` withheld their tools. skills: the
    catalog, by name.
    """
    is_oracle = condition is Condition.ORACLE
    return [
        rendered[turn.id]
        if is_oracle and turn.id in rendered
        else _build_row(turn, question, () if is_oracle else tools, skills, manifest)
        for turn, question, tools in zip(turns, questions, shown, strict=True)
    ]


def _build_row(
    turn: TurnRows,
    question: Question,
    tools: Sequence[Skill],
    skills: Mapping[str, Skill],
    manifest: RenderManifest,
) -> TrainingRow:
    calls = build_target_calls(turn, skills, manifest.values)
    right = format_calls([build_call(call, skills[call.skill]) for call in calls], manifest.call_format)
    answer = right if calls or turn.reply is None else turn.reply
    prompt = build_messages(manifest.style, tools, question)
    return TrainingRow(
        **turn.describe(),
        id=make_view_id(turn.id, View.CALL, None),
        view=View.CALL,
        slot=None,
        messages=(*prompt, Message("assistant", answer)),
        tools=msgspec.json.encode([build_tool_definition(tool) for tool in tools]).decode(),
        calls=calls,
        input_ids=(),
        prompt_tokens=0,
    )


def encode_row(
    row: TrainingRow,
    question: Question,
    tools: Sequence[Skill],
    style: PromptStyle,
    tokenizer: Any,
    limit: int | None,
) -> TrainingRow:
    """Add the tokens of a row's prompt. tools: those that it shows, the most important first.

    limit: the maximum number of tokens; `None`: any. The last tools are dropped until the prompt fits. A row whose
    prompt the chat template rejects, or that does not fit without tools, has no tokens.
    """
    for count in range(len(tools), -1, -1):
        try:
            tokens = encode_prompt(tokenizer, style, tools[:count], question)
        except ChatTemplateError:
            return row
        if limit is None or len(tokens) <= limit:
            definitions = [build_tool_definition(tool) for tool in tools[:count]]
            return msgspec.structs.replace(
                row,
                tools=msgspec.json.encode(definitions).decode(),
                input_ids=tuple(tokens),
                prompt_tokens=len(tokens),
            )
    return row


def is_found(row: TrainingRow) -> bool:
    """Return whether the prompt of a row shows all tools that its right answer calls."""
    return {call.skill for call in row.calls} <= set(list_tool_names(row))
