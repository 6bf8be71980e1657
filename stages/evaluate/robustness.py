"""Changed prompts for the same test turns: how much of what a model can do depends on how it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from exemplars.core.bootstrap import Resamples, round_figure
from exemplars.core.code_version import check_dependency
from exemplars.core.digests import hash_to_fraction
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ids import make_speech_id
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.models.calls import NO_CALL, format_calls
from exemplars.models.candidates import add_candidates
from exemplars.models.prompt_style import CandidateSource
from exemplars.models.prompting import build_messages
from exemplars.models.questions import Question
from exemplars.models.rows import Message, TargetCall, TrainingRow, list_tool_names
from exemplars.models.targets import build_call
from stages.evaluate.evaluation import score_replies
from stages.evaluate.metrics import CALL_METRICS
from stages.evaluate.params import EvaluateParams, Robustness
from stages.evaluate.renaming import mask_catalog, rename_call, rename_rules
from stages.evaluate.replies import Replies, Reply
from stages.evaluate.schema_variants import rename_by_variant
from stages.evaluate.system_names import Kind, System
from stages.evaluate.task import Task, encode_row

_DISTRACTORS: Final = 5
"""The tools that `more_distractors` adds."""
_VERSIONS: Final = {kind: int(kind.value[-1]) for kind in Robustness if kind.value.startswith("schema_v")}
"""The versions of SGD-X's variants."""
RENAMING: Final = frozenset({Robustness.NAMES_MASKED, *_VERSIONS})
"""The changes of names, which only language models read."""


class Variant(NamedTuple):
    """The test turns in changed prompts."""

    task: Task
    places: Sequence[int]
    """The places of its rows in the task that it was made of."""


class _Prompt(NamedTuple):
    """A changed prompt, and what is right for it."""

    question: Question
    tools: Sequence[Skill]
    calls: tuple[TargetCall, ...]


def build_variant(
    kind: Robustness,
    task: Task,
    rendered: Mapping[str, TrainingRow],
    tokenizer: Any,
    limit: int | None,
    release: Path | None = None,
) -> Variant:
    """Build the changed prompts of a kind. task: under `oracle`; its rows as written are changed.

    rendered: the test rows of `render`, by id, with their speech views. limit: the maximum number of tokens. release:
    the folder of SGD's, if the kind is a variant of its schema. Rows without a prompt are left out, as are those that
    cannot be changed: those that call nothing have no right tool that could be missing, some have no speech view, and
    some show no tool that a variant renames. Raises `UserError` if a variant cannot be read.
    """
    renamed = _rename_skills(kind, task.skills, release)
    skills = {skill.name: skill for skill in renamed.values()} if renamed else task.skills
    if renamed and task.style.candidates is CandidateSource.TAGGER:  # They have the names that are changed.
        task = task._replace(
            questions=[question._replace(candidates=()) for question in task.questions], find_candidates=None
        )
    rows, places, questions = [], [], []
    for place, (row, question) in enumerate(zip(task.rows, task.questions, strict=True)):
        if row.speech or not row.prompt_tokens:
            continue
        prompt = _change(kind, row, question, task, renamed, rendered)
        if prompt is not None:
            rows.append(_build_row(row, prompt, task, skills, tokenizer, limit))
            places.append(place)
            questions.append(prompt.question)
    changed = task._replace(
        rows=rows,
        questions=questions,
        skills=skills,
        neighbors=[task.neighbors[place] for place in places],
        copy_rules=rename_rules(task.copy_rules, task.skills, renamed) if renamed else task.copy_rules,
    )
    return Variant(changed, places)


def find_release(params: EvaluateParams) -> Path | None:
    """Find the folder of SGD's release, which DVC has to depend on; `None` if no variant of its schema is wanted.

    Raises `UserError` if one is wanted and no folder is named, or if `dvc.yaml` does not name it.
    """
    wanted = [kind for kind in params.robustness if kind in _VERSIONS]
    if not wanted:
        return None
    if params.schema_variants is None:
        found = f"{wanted[0]} in evaluate.robustness, and no evaluate.schema_variants"
        expected = "the folder of the Schema-Guided Dialogue release that has `sgd_x` in it"
        problem = Diagnostic(
            path="params.yaml", code="schema_variants", found=found, expected=expected, fix="name it"
        )
        raise UserError([problem])
    check_dependency("evaluate", params.schema_variants)
    return Path(params.schema_variants)


def rate_variants(
    variants: Mapping[Robustness, Variant],
    task: Task,
    replies: Replies,
    systems: Mapping[str, System],
    params: EvaluateParams,
) -> dict[str, Any]:
    """Rate the answers to changed prompts: exact match, and its difference from that of the same turns unchanged.

    task: under `oracle`. replies: under `oracle` and to each kind of changed prompts. Where names are changed, only
    language models are rated: others do not read names.
    """
    report: dict[str, Any] = {}
    for kind, (changed, places) in variants.items():
        rated = [
            system.name
            for system in systems.values()
            if kind not in RENAMING or system.kind is Kind.LANGUAGE_MODEL
        ]
        resamples = Resamples([row.group for row in changed.rows], params.resamples, params.seed)
        exact = {
            name: (
                _list_exact(changed, replies[kind][name]),
                _list_exact(task, replies[task.condition][name])[list(places)],
            )
            for name in rated
        }
        figures = {name: _compare(resamples, *columns) for name, columns in exact.items()}
        report[kind.value] = {"rows": len(places), "systems": figures}
    return report


def _compare(resamples: Resamples, after: Any, before: Any) -> dict[str, Any]:
    metrics = {"exact_match": CALL_METRICS["exact_match"]}
    everywhere = range(len(after))
    figures = resamples.compute_figures({"exact": after}, everywhere, metrics)
    differences = resamples.compute_differences({"exact": after}, {"exact": before}, everywhere, metrics)
    return {
        "exact_match": round_figure(figures["exact_match"]),
        "difference": round_figure(differences["exact_match"]),
    }


def _list_exact(task: Task, replies: Sequence[Reply]) -> Any:
    return np.array([score.exact for score in score_replies(task, replies)], dtype=np.float64)


def _change(
    kind: Robustness,
    row: TrainingRow,
    question: Question,
    task: Task,
    renamed: Mapping[str, Skill],
    rendered: Mapping[str, TrainingRow],
) -> _Prompt | None:
    """Change a prompt; `None`: it cannot be. renamed: the skills with other names, by their own."""
    shown = list_tool_names(row)
    if renamed:
        return _rename_tools(shown, row, question, task, renamed)
    tools = [task.skills[name] for name in shown]
    match kind:
        case Robustness.TOOLS_SHUFFLED:
            return _Prompt(question, [task.skills[name] for name in _shuffle(shown, row.id)], row.calls)
        case Robustness.MORE_DISTRACTORS:
            more = _add_distractors(shown, task.skills.keys() - {*shown, *row.skills}, row.id)
            return _Prompt(question, [task.skills[name] for name in more], row.calls)
        case Robustness.RIGHT_TOOL_MISSING:
            left = [tool for tool in tools if tool.name not in row.skills]
            return _Prompt(question, left, ()) if row.calls else None
        case Robustness.SPEECH:
            view = rendered.get(make_speech_id(row.id))
            if view is None:
                return None
            spoken = question._replace(utterance=view.utterance)
            if task.find_candidates is not None:
                (spoken,) = add_candidates([spoken._replace(candidates=())], task.find_candidates)
            return _Prompt(spoken, tools, view.calls)
        case _:
            raise AssertionError(f"{kind} changes names")


def _rename_skills(
    kind: Robustness, skills: Mapping[str, Skill], release: Path | None
) -> Mapping[str, Skill]:
    """Rename skills as a kind of change says, by their own names; empty: it changes no names."""
    if kind is Robustness.NAMES_MASKED:
        return mask_catalog(skills)
    if kind not in _VERSIONS:
        return {}
    assert release is not None  # As `find_release` demands.
    return rename_by_variant(skills, release, _VERSIONS[kind])


def _rename_tools(
    shown: Sequence[str], row: TrainingRow, question: Question, task: Task, renamed: Mapping[str, Skill]
) -> _Prompt | None:
    if all(renamed[name] is task.skills[name] for name in shown):
        return None
    calls = tuple(rename_call(call, task.skills[call.skill], renamed[call.skill]) for call in row.calls)
    return _Prompt(question, [renamed[name] for name in shown], calls)


def _shuffle(names: Sequence[str], seed: str) -> list[str]:
    """Shuffle names by stable hash, so that several have another order."""
    order = sorted(names, key=lambda name: hash_to_fraction(name, f"{seed} shuffled"))
    return [*order[1:], *order[:1]] if order == list(names) else order


def _add_distractors(names: Sequence[str], others: Iterable[str], seed: str) -> list[str]:
    """Add names by stable hash, at places that do not give away which were there."""
    added = sorted(others, key=lambda name: hash_to_fraction(name, f"{seed} more"))[:_DISTRACTORS]
    return sorted([*names, *added], key=lambda name: hash_to_fraction(name, f"{seed} place"))


def _build_row(
    row: TrainingRow,
    prompt: _Prompt,
    task: Task,
    skills: Mapping[str, Skill],
    tokenizer: Any,
    limit: int | None,
) -> TrainingRow:
    form = task.style.call_format
    answer = NO_CALL[form]
    if prompt.calls:
        answer = format_calls([build_call(call, skills[call.skill]) for call in prompt.calls], form)
    elif not row.calls:
        answer = row.messages[-1].content
    messages = build_messages(task.style, prompt.tools, prompt.question)
    changed = msgspec.structs.replace(
        row,
        utterance=prompt.question.utterance,
        messages=(*messages, Message("assistant", answer)),
        tools=msgspec.json.encode([build_tool_definition(tool) for tool in prompt.tools]).decode(),
        calls=prompt.calls,
        input_ids=(),
        prompt_tokens=0,
    )
    return encode_row(changed, prompt.question, prompt.tools, task.style, tokenizer, limit)
