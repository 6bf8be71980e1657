"""The entry point of the stage `split`: `python -m stages.split`."""

from __future__ import annotations

import sys

from exemplars.core import layout
from exemplars.core.code_version import run_stage
from exemplars.core.files import write_json, write_report
from exemplars.core.params import is_generated, load_section, read_source_settings
from exemplars.core.schemas import EXEMPLAR_SCHEMA, PAIR_SCHEMA
from exemplars.core.tables import read_table, write_table
from stages.split.inputs import read_foreign_texts
from stages.split.params import SplitParams
from stages.split.report import build_split_metrics, build_split_report, summarize_splits
from stages.split.speech import select_views
from stages.split.splits import build_split_manifest, split_exemplars


def main() -> str:
    """Run the stage: write the splits, their manifest, the ledger and the report."""
    params = load_section("split", SplitParams)
    exemplars = read_table(layout.CURATED, EXEMPLAR_SCHEMA)
    pairs = read_table(layout.PAIRS, PAIR_SCHEMA)
    foreign = read_foreign_texts(layout.AGAINST, params.leaks.against)
    generated = {name for name, source in read_source_settings().items() if is_generated(source)}
    result = split_exemplars(exemplars, pairs, params, foreign, generated)
    for name, table in result.tables.items():
        write_table(layout.split(name), table)
    views = select_views(read_table(layout.SPEECH, EXEMPLAR_SCHEMA), result.tables, params.speech)
    write_table(layout.split_speech(), views)
    write_table(layout.ledger_path(layout.MANIFEST), result.rejections)
    write_json(layout.MANIFEST, build_split_manifest(result, params))
    report = build_split_report(result, views)
    write_report("split", report, build_split_metrics(report))
    return summarize_splits(result)


if __name__ == "__main__":
    sys.exit(run_stage("split", main))
