"""The shell of the stage `render`: `python -m stages.render`."""

from __future__ import annotations

import sys

from stages.core import layout
from stages.core.base_models import find_base, load_tokenizer
from stages.core.catalog import decode_catalog
from stages.core.errors import run_shell
from stages.core.files import write_json
from stages.core.params import load_section
from stages.core.row_tables import exemplars_of, rejection_table
from stages.core.schemas import EXEMPLAR_SCHEMA, TRAINING_SCHEMA
from stages.core.tables import plain_table, read_table, write_table
from stages.render.base import checked_tokenizer, rendered_for, row_limit
from stages.render.params import RenderParams
from stages.render.report import length_rows, render_report
from stages.render.training_rows import check_supervised, rejections, rendered_split, speech_of, training_rows

SPLITS = ("train", "validation", "test")


def main() -> None:
    """Read the splits, render and prove their rows, write them, the ledger and the report."""
    params = load_section("render", RenderParams)
    base = find_base(params.base)
    tokenizer = checked_tokenizer(load_tokenizer(base), base)
    limit = row_limit(base, params.max_tokens)
    skills = {one.name: one for one in decode_catalog(layout.CATALOG.read_bytes())}
    speech = exemplars_of(read_table(layout.split_speech(), EXEMPLAR_SCHEMA))
    splits = {}
    for name in SPLITS:
        rows = [*exemplars_of(read_table(layout.split(name), EXEMPLAR_SCHEMA)), *speech_of(speech, name)]
        most = getattr(params.max_rows, name)
        splits[name] = rendered_split(rows, skills, tokenizer, params, limit, name == "train", most)
    write_table(layout.rejections_of(layout.TRAINING_BASE), rejection_table(rejections(splits)))
    check_supervised(splits, params)
    for name, split in splits.items():
        write_table(layout.training(name), plain_table(training_rows(split, skills), TRAINING_SCHEMA))
    write_json(layout.TRAINING_BASE, rendered_for(base, tokenizer, params))
    write_json(layout.plot("render", "lengths"), length_rows(splits))
    write_json(layout.report("render"), render_report(splits))


if __name__ == "__main__":
    sys.exit(run_shell(main))
