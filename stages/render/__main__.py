"""The shell of the stage `render`: `python -m stages.render`."""

from __future__ import annotations

import sys

from exemplars.core import layout
from exemplars.core.errors import run_main
from exemplars.core.files import write_json
from exemplars.core.params import load_section
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table, rows_to_table, write_table
from exemplars.dataset.catalog import decode_catalog
from exemplars.dataset.row_tables import exemplars_from_table, rejections_to_table
from exemplars.models.base_models import find_base, load_tokenizer
from exemplars.models.rows import TrainingRow
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
    speech = exemplars_from_table(read_table(layout.split_speech(), EXEMPLAR_SCHEMA))
    splits = {}
    for name in SPLITS:
        rows = [
            *exemplars_from_table(read_table(layout.split(name), EXEMPLAR_SCHEMA)),
            *speech_of(speech, name),
        ]
        most = getattr(params.max_rows, name)
        splits[name] = rendered_split(rows, skills, tokenizer, params, limit, name == "train", most)
    write_table(layout.ledger_path(layout.TRAINING_BASE), rejections_to_table(rejections(splits)))
    check_supervised(splits, params)
    for name, split in splits.items():
        write_table(layout.training(name), rows_to_table(training_rows(split, skills), TrainingRow))
    write_json(layout.TRAINING_BASE, rendered_for(base, tokenizer, params))
    write_json(layout.plot("render", "lengths"), length_rows(splits))
    write_json(layout.report("render"), render_report(splits))


if __name__ == "__main__":
    sys.exit(run_main(main))
