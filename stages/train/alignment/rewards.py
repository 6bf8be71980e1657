"""Rewards of answers, by the judge of `evaluate` and by the grammars of constrained decoding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from exemplars.dataset.catalog import Skill
from exemplars.models.calls import CallFormat
from exemplars.models.copying import CopyRules, learn_copy_rules, list_shown_texts
from exemplars.models.decoding import Completion, match_grammars
from exemplars.models.grammar import Copying, build_call_grammar
from exemplars.models.rows import TrainingRow, list_tool_names
from exemplars.models.scoring import build_expected_answer, score_prediction
from stages.train.recipe_params import RewardKind

Rewarder = Callable[[Sequence[TrainingRow], Sequence[Completion]], list[float]]
"""Rewards an answer to each row."""


class Judge(NamedTuple):
    """What answers are judged by."""

    skills: Mapping[str, Skill]
    """The catalog, by name."""
    rules: CopyRules
    form: CallFormat
    model: Any
    tokenizer: Any


def make_judge(
    rows: Iterable[TrainingRow], skills: Mapping[str, Skill], form: CallFormat, model: Any, tokenizer: Any
) -> Judge:
    """Make a judge. rows: all train rows, from which it learns which values prompts need not say."""
    return Judge(skills, learn_copy_rules(rows), form, model, tokenizer)


def reward_exact(judge: Judge, rows: Sequence[TrainingRow], answers: Sequence[Completion]) -> list[float]:
    """Rate an answer 1 if `evaluate` would call it right, otherwise 0."""
    return [float(_score(judge, row, answer)) for row, answer in zip(rows, answers, strict=True)]


def reward_typed(judge: Judge, rows: Sequence[TrainingRow], answers: Sequence[Completion]) -> list[float]:
    """Rate an answer 1 if it calls shown tools, or none, with values of the right types, otherwise 0."""
    return _match(judge, answers, [build_call_grammar(_list_tools(judge, row), judge.form) for row in rows])


def reward_grounded(judge: Judge, rows: Sequence[TrainingRow], answers: Sequence[Completion]) -> list[float]:
    """Rate an answer 1 if it is typed, and its texts are said or have values of train rows, otherwise 0."""
    grammars = [
        build_call_grammar(
            _list_tools(judge, row),
            judge.form,
            copying=Copying(judge.rules, list_shown_texts(row.messages[:-1])),
        )
        for row in rows
    ]
    return _match(judge, answers, grammars)


RULES: Mapping[RewardKind, Callable[[Judge, Sequence[TrainingRow], Sequence[Completion]], list[float]]] = {
    RewardKind.EXACT: reward_exact,
    RewardKind.GROUNDED: reward_grounded,
    RewardKind.TYPED: reward_typed,
}
"""The rewards that need no trained model."""


def _score(judge: Judge, row: TrainingRow, answer: Completion) -> int:
    expected = build_expected_answer(row, list_tool_names(row))
    return score_prediction(answer.text, answer.ended, expected, judge.skills, judge.form).exact


def _match(judge: Judge, answers: Sequence[Completion], grammars: Sequence[str]) -> list[float]:
    return [float(match) for match in match_grammars(judge.model, judge.tokenizer, answers, grammars)]


def _list_tools(judge: Judge, row: TrainingRow) -> list[Skill]:
    """List the tools that the prompt of a row shows."""
    return [judge.skills[name] for name in list_tool_names(row)]
