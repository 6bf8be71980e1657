"""The shell of the stage `curate`: `python -m stages.curate`."""

from __future__ import annotations

import os
import sys

from exemplars.core import layout
from exemplars.core.errors import run_main
from exemplars.core.files import write_json
from exemplars.core.ledger import check_conservation
from exemplars.core.params import load_section
from exemplars.core.records import ReviewItem, TextPair
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import prevent_pandas_import, read_table, rows_to_table, write_table
from exemplars.dataset.catalog import decode_catalog
from exemplars.dataset.row_tables import exemplars_from_table, exemplars_to_table, rejections_to_table
from stages.curate.curation import curate
from stages.curate.lexicons import FILES, decode_lexicons
from stages.curate.params import CurateParams
from stages.curate.privacy.key import surrogate_key
from stages.curate.report import as_document, curate_report
from stages.curate.speech import speech_views


def main() -> None:
    """Read exemplars, curate them, write what is kept, the ledger, the lists and the report."""
    params = load_section("curate", CurateParams)
    key = surrogate_key(params.privacy.mode, os.environ)
    paths = {name: layout.lexicon(params.lexicons, name) for name in FILES}
    lexicons = decode_lexicons(
        {name: (str(path), path.read_bytes() if path.exists() else None) for name, path in paths.items()}
    )
    prevent_pandas_import()
    exemplars = exemplars_from_table(read_table(layout.EXEMPLARS, EXEMPLAR_SCHEMA))
    skills = decode_catalog(layout.CATALOG.read_bytes())
    curated = curate(
        exemplars, skills, lexicons, params, key, lambda what: print(f"curate: {what}", flush=True)
    )
    check_conservation("curate", len(exemplars), len(curated.kept), len(curated.rejections))
    write_table(layout.CURATED, exemplars_to_table(curated.kept))
    write_table(layout.ledger_path(layout.CURATED), rejections_to_table(curated.rejections))
    write_table(layout.PAIRS, rows_to_table(curated.pairs, TextPair))
    write_table(layout.SPEECH, exemplars_to_table(speech_views(curated.kept)))
    write_table(layout.REVIEW, rows_to_table(curated.review, ReviewItem))
    write_json(layout.REPRESENTATIVENESS, as_document(curated.representativeness))
    write_json(layout.report("curate"), curate_report(curated))


if __name__ == "__main__":
    sys.exit(run_main(main))
