"""Splits as chat rows, and the ledger of what cannot be rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ids import SplitName, make_view_id
from exemplars.core.ledger import Ledger, Problem, report_incomplete_turn
from exemplars.core.records import Exemplar, Rejection
from exemplars.core.reports import count_sorted
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import rejections_to_table
from exemplars.models.calls import CallFormat
from exemplars.models.rows import TrainingRow, View
from exemplars.models.turns import TurnRows, collect_turns
from stages.render.examples import ExampleFinder
from stages.render.params import RenderParams
from stages.render.prompt_checks import TokenizedPrompt, tokenize_and_check
from stages.render.prompt_sources import NO_SOURCES, PromptSources, make_prompt_sources
from stages.render.prompts import Prompt, build_prompts
from stages.render.sampling import limit_none_share, sample_turns
from stages.render.tool_choice import choose_tools, group_skills_by_utterance, make_utterance_key
from stages.render.turn_models import NO_MODELS, TurnModels
from stages.render.yes_no import choose_questions, list_questions


class RenderedSplit(NamedTuple):
    """A split as chat rows."""

    rows: tuple[TrainingRow, ...]
    """Sorted by id."""
    rejections: tuple[Rejection, ...]

    @property
    def kept(self) -> int:
        """The number of exemplars in the chat rows, counted in each view."""
        return sum(len(row.exemplar_ids) for row in self.rows)


def render_splits(
    splits: Mapping[SplitName, Sequence[Exemplar]],
    skills: Mapping[str, Skill],
    tokenizer: Any,
    params: RenderParams,
    limit: int,
    models: TurnModels = NO_MODELS,
) -> dict[SplitName, RenderedSplit]:
    """Render all splits by `render_split`.

    What BM25 ranks tools by are the rows of train. models: those that the parameters name.
    """
    sources = make_prompt_sources(params, splits["train"], skills, models)
    target = (skills, tokenizer, params, limit, sources)
    examples = None
    if params.examples.shown or not {View.PAIR, View.YES_NO}.isdisjoint(params.views):
        # Only rows that are trained on are shown, so that `rows.txt` has all that a model has seen.
        calls = msgspec.structs.replace(params, views=(View.CALL,))
        plain = render_split(splits["train"], "train", skills, tokenizer, calls, limit, sources)
        templates = {row.id: row.exemplar for row in splits["train"]}
        kept = {row.id for row in plain.rows}
        questions = list_questions(turn for turn in collect_turns(splits["train"]) if turn.id in kept)
        examples = ExampleFinder(plain.rows, templates, params, questions)
    return {name: render_split(rows, name, *target, examples) for name, rows in splits.items()}


def render_split(
    exemplars: Sequence[Exemplar],
    split: SplitName,
    skills: Mapping[str, Skill],
    tokenizer: Any,
    params: RenderParams,
    limit: int,
    sources: PromptSources = NO_SOURCES,
    examples: ExampleFinder | None = None,
) -> RenderedSplit:
    """Render the turns of a split as chat rows, each checked.

    In the train split only, turns that ask for nothing have a quota, and rows share lists of tools. skills: the
    catalog, by name. limit: the maximum tokens of a row. examples: finds the train rows that prompts show, if any.
    """
    ledger, rows = Ledger("render"), []
    turns = sample_turns(collect_turns(exemplars), getattr(params.max_rows, split), params.salt, ledger)
    if split == "train":
        turns = limit_none_share(turns, params.max_none_share, params.salt, ledger)
    rows_per_list = params.rows_a_list if split == "train" else 1
    called = group_skills_by_utterance(row for turn in turns for row in turn.rows)
    tools = choose_tools(turns, sorted(skills), params, rows_per_list, sources.rank_tools)
    candidates = [()] * len(turns) if sources.find_candidates is None else sources.find_candidates(turns)
    questions = {} if examples is None else choose_questions(turns, examples.questions, params.salt)
    for turn, said in zip(turns, candidates, strict=True):
        found, pairs = [], []
        if examples is not None:
            found = examples.find(turn, tools[turn.id], draws=split == "train")
            pairs = examples.find_pairs(turn, called.get(make_utterance_key(turn.first), ()))
        prompts = build_prompts(turn, skills, tools[turn.id], params, pairs, questions.get(turn.id), said)
        if isinstance(prompts, Mapping):
            _reject_turn(turn, prompts, ledger)
            continue
        for prompt in prompts:
            checked = _check_first(prompt, found, tokenizer, limit, params.call_format)
            if isinstance(checked, Problem):
                _reject_turn(turn, {row.id: checked for row in turn.rows}, ledger)
            else:
                rows.append(_make_row(checked))
    return RenderedSplit(tuple(sorted(rows, key=lambda row: row.id)), tuple(ledger.rejections))


def _check_first(
    prompt: Prompt, examples: Sequence[TrainingRow], tokenizer: Any, limit: int, form: CallFormat
) -> TokenizedPrompt | Problem:
    """Tokenize a prompt with examples, or without them if it then fails a check; return the problem of the latter.

    A row that is right without examples is not lost because of them.
    """
    if examples:
        checked = tokenize_and_check(prompt.insert_examples(examples), tokenizer, limit, form)
        if not isinstance(checked, Problem):
            return checked
    return tokenize_and_check(prompt, tokenizer, limit, form)


def _reject_turn(turn: TurnRows, problems: Mapping[str, Problem], ledger: Ledger) -> None:
    """Reject all rows of a turn. problems: of at least one of them, by its id."""
    incomplete = report_incomplete_turn(next(iter(problems)))
    for row in turn.rows:
        ledger.reject(row, problems.get(row.id, incomplete))


def check_supervision(splits: Mapping[SplitName, RenderedSplit], params: RenderParams) -> None:
    """Raise `UserError` for each view in which nothing of the train split is supervised."""
    supervised = {row.view for row in splits["train"].rows}
    reasons = count_sorted(rejection.reason for rejection in splits["train"].rejections)
    counts = ", ".join(f"{reason}: {count}" for reason, count in reasons.items())
    if counts:
        found = f"no train row that passes the prompt checks ({counts})"
        fix = f"see the reasons in {layout.ledger_path(layout.TRAINING_BASE)}, or remove the view"
    elif supervised:
        found = f"no prompt of this view for any of the {len(splits['train'].rows):,} train rows"
        fix = "remove the view"
    else:
        found = "an empty train split"
        fix = "add examples, or raise the share of train in split.ratios"
    problems = [
        Diagnostic(
            path=f"render.views: {view}",
            code="nothing_supervised",
            found=found,
            expected="at least one row to train on",
            fix=fix,
        )
        for view in params.views
        if view not in supervised
    ]
    if problems:
        raise UserError(problems)


def collect_rejections(splits: Mapping[SplitName, RenderedSplit]) -> pa.Table:
    """Collect the rejections of all splits in one ledger, sorted by id and reason."""
    rejections = [rejection for split in splits.values() for rejection in split.rejections]
    rejections.sort(key=lambda rejection: (rejection.id, rejection.reason))
    return rejections_to_table(rejections)


def _make_row(tokenized: TokenizedPrompt) -> TrainingRow:
    prompt = tokenized.prompt
    return TrainingRow(
        **prompt.turn.describe(),
        id=make_view_id(prompt.turn.id, prompt.view, _name_slot(prompt)),
        view=prompt.view,
        slot=prompt.slot,
        messages=prompt.messages,
        tools=msgspec.json.encode(prompt.definitions).decode(),
        calls=prompt.calls,
        input_ids=tokenized.input_ids,
        prompt_tokens=tokenized.prompt_tokens,
        nearest=prompt.nearest,
    )


def _name_slot(prompt: Prompt) -> str | None:
    """Name the parameter that a prompt asks for, after its skill if the turn has several calls."""
    if prompt.slot is None or len(prompt.turn.called_rows) <= 1:
        return prompt.slot
    return f"{prompt.calls[0].skill}.{prompt.slot}"
