"""Splits as chat rows, and the ledger of what cannot be rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ids import SplitName, is_speech_id, make_view_id
from exemplars.core.ledger import Ledger, Problem
from exemplars.core.records import Exemplar, Rejection
from exemplars.core.reports import count_sorted
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import rejections_to_table
from exemplars.models.rows import TrainingRow
from stages.render.params import RenderParams
from stages.render.prompt_checks import TokenizedPrompt, tokenize_and_check
from stages.render.prompts import build_prompts
from stages.render.sampling import limit_none_share, sample_exemplars
from stages.render.tool_choice import choose_tools


class RenderedSplit(NamedTuple):
    """A split as chat rows."""

    rows: tuple[TrainingRow, ...]
    """Sorted by id."""
    rejections: tuple[Rejection, ...]

    @property
    def prompts(self) -> int:
        """The number of prompts that were attempted."""
        return len(self.rows) + len(self.rejections)


def render_split(
    exemplars: Sequence[Exemplar],
    split: SplitName,
    skills: Mapping[str, Skill],
    tokenizer: Any,
    params: RenderParams,
    limit: int,
) -> RenderedSplit:
    """Render the exemplars of a split as chat rows, each checked.

    In the train split only, rows that ask for nothing have a quota, and rows share lists of tools.

    skills: the catalog, by name. limit: the maximum number of tokens of a row.
    """
    ledger = Ledger("render")
    exemplars = sample_exemplars(exemplars, getattr(params.max_rows, split), params.salt, ledger)
    rows_per_list = 1
    if split == "train":
        exemplars = limit_none_share(exemplars, params.max_none_share, params.salt, ledger)
        rows_per_list = params.rows_a_list
    tools = choose_tools(exemplars, sorted(skills), params, rows_per_list)
    rows = []
    for exemplar in exemplars:
        prompts = build_prompts(exemplar, skills, tools[exemplar.id], params)
        if isinstance(prompts, Problem):
            ledger.reject(exemplar, prompts)
            continue
        for prompt in prompts:
            checked = tokenize_and_check(prompt, tokenizer, limit, params.call_format)
            if isinstance(checked, Problem):
                ledger.reject(exemplar, checked)
            else:
                rows.append(_make_row(checked))
    return RenderedSplit(tuple(sorted(rows, key=lambda row: row.id)), tuple(ledger.rejections))


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
    prompt, exemplar = tokenized.prompt, tokenized.prompt.exemplar
    return TrainingRow(
        id=make_view_id(exemplar.id, prompt.view, prompt.slot),
        exemplar_id=exemplar.id,
        digest=exemplar.digest,
        source=exemplar.source,
        service=exemplar.service,
        skill=exemplar.skill,
        mode=exemplar.mode,
        group=exemplar.group,
        license=exemplar.license,
        origin=exemplar.origin,
        view=prompt.view,
        slot=prompt.slot,
        speech=is_speech_id(exemplar.id),
        utterance=exemplar.utterance,
        messages=prompt.messages,
        tools=msgspec.json.encode(prompt.definitions).decode(),
        call=prompt.skill,
        answers=prompt.answers,
        input_ids=tokenized.input_ids,
        prompt_tokens=tokenized.prompt_tokens,
    )
