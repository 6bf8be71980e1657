"""The entry point of the stage `render`: `python -m stages.render`."""

from __future__ import annotations

import sys

from exemplars.core import layout
from exemplars.core.code_version import run_stage
from exemplars.core.files import write_json, write_report
from exemplars.core.params import load_section
from exemplars.core.tables import rows_to_table, write_table
from exemplars.models.base_models import find_base, load_tokenizer
from exemplars.models.render_manifest import attach_manifest
from exemplars.models.rows import TrainingRow
from stages.render.base import build_render_manifest, check_tokenizer, limit_tokens
from stages.render.inputs import read_retriever, read_skills, read_splits
from stages.render.params import RenderParams
from stages.render.report import build_render_metrics, build_render_report, list_length_bins, summarize_render
from stages.render.training_rows import check_supervision, collect_rejections, render_splits


def main() -> str:
    """Run the stage: write the chat rows, their manifest, the ledger and the report."""
    params = load_section("render", RenderParams)
    base = find_base(params.base)
    check_tokenizer(tokenizer := load_tokenizer(base), base)
    target = (read_skills(), tokenizer, params, limit_tokens(base, params.max_tokens))
    splits = render_splits(read_splits(), *target, read_retriever(params))
    write_table(layout.ledger_path(layout.TRAINING_BASE), collect_rejections(splits))
    check_supervision(splits, params)
    write_json(layout.TRAINING_BASE, manifest := build_render_manifest(base, tokenizer, params))
    for name, split in splits.items():
        write_table(layout.training(name), attach_manifest(rows_to_table(split.rows, TrainingRow), manifest))
    write_json(layout.plot("render", "lengths"), list_length_bins(splits))
    write_report("render", report := build_render_report(splits), build_render_metrics(report))
    return summarize_render(splits)


if __name__ == "__main__":
    sys.exit(run_stage("render", main))
