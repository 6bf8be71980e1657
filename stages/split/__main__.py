"""The shell of the stage `split`: `python -m stages.split`."""

from __future__ import annotations

import sys

from exemplars.core import layout
from exemplars.core.errors import run_main
from exemplars.core.files import write_json
from exemplars.core.ledger import check_conservation
from exemplars.core.params import load_section
from exemplars.core.schemas import EXEMPLAR_SCHEMA, PAIR_SCHEMA
from exemplars.core.tables import read_table, write_table
from stages.split.params import SplitParams
from stages.split.speech import views_of_splits
from stages.split.splits import manifest, split_exemplars, split_report


def main() -> None:
    """Read exemplars, write the splits, their manifest, the ledger and the report."""
    params = load_section("split", SplitParams)
    exemplars = read_table(layout.CURATED, EXEMPLAR_SCHEMA)
    pairs = read_table(layout.PAIRS, PAIR_SCHEMA)
    split = split_exemplars(exemplars, pairs, params)
    kept = sum(table.num_rows for table in split.tables.values())
    check_conservation("split", exemplars.num_rows, kept, split.rejections.num_rows)
    for name, table in split.tables.items():
        write_table(layout.split(name), table)
    views = views_of_splits(read_table(layout.SPEECH, EXEMPLAR_SCHEMA), split.tables, params.speech)
    write_table(layout.split_speech(), views)
    write_table(layout.ledger_path(layout.MANIFEST), split.rejections)
    write_json(layout.MANIFEST, manifest(split, params))
    write_json(layout.report("split"), split_report(split, views))


if __name__ == "__main__":
    sys.exit(run_main(main))
