"""The entry point of the stage `render`: `python -m stages.render`."""

from __future__ import annotations

import sys

from exemplars.core.code_version import run_stage
from exemplars.core.params import load_section
from exemplars.models.base_models import find_base, load_tokenizer
from stages.render.base import build_render_manifest, check_tokenizer, limit_tokens
from stages.render.inputs import read_models, read_preferences, read_skills, read_splits
from stages.render.outputs import write_ledger, write_reports, write_rows
from stages.render.params import RenderParams
from stages.render.preference_prompts import PromptFinder
from stages.render.preferences import TokenTarget, render_preferences
from stages.render.report import summarize_render
from stages.render.training_rows import check_supervision, render_splits


def main() -> str:
    """Run the stage: write the chat rows, the preferences, their manifest, the ledgers and the report."""
    params = load_section("render", RenderParams)
    base = find_base(params.base)
    check_tokenizer(tokenizer := load_tokenizer(base), base)
    limit = limit_tokens(base, params.max_tokens)
    exemplars, preferences = read_splits(), read_preferences()
    models = read_models(params, exemplars["train"])
    splits = render_splits(exemplars, read_skills(), tokenizer, params, limit, models)
    write_ledger(splits)
    check_supervision(splits, params)
    finder = PromptFinder(exemplars, splits, params)
    rendered = render_preferences(preferences, finder, TokenTarget(tokenizer, params.call_format, limit))
    write_rows(splits, rendered, build_render_manifest(base, tokenizer, params))
    write_reports(splits, rendered)
    return summarize_render(splits, rendered)


if __name__ == "__main__":
    sys.exit(run_stage("render", main))
