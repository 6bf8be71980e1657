"""The shell of the stage `curate`: `python -m stages.curate`."""

from __future__ import annotations

import os
import sys

from stages.core import layout
from stages.core.catalog import decode_catalog
from stages.core.errors import run_shell
from stages.core.files import write_json
from stages.core.params import load_section
from stages.core.reports import check_conservation
from stages.core.row_tables import exemplar_table, exemplars_of, rejection_table
from stages.core.schemas import EXEMPLAR_SCHEMA, PAIR_SCHEMA, REVIEW_SCHEMA
from stages.core.tables import leave_pandas_out, plain_table, read_table, write_table
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
    leave_pandas_out()
    exemplars = exemplars_of(read_table(layout.EXEMPLARS, EXEMPLAR_SCHEMA))
    skills = decode_catalog(layout.CATALOG.read_bytes())
    curated = curate(
        exemplars, skills, lexicons, params, key, lambda what: print(f"curate: {what}", flush=True)
    )
    check_conservation("curate", len(exemplars), len(curated.kept), len(curated.rejections))
    write_table(layout.CURATED, exemplar_table(curated.kept))
    write_table(layout.rejections_of(layout.CURATED), rejection_table(curated.rejections))
    write_table(layout.PAIRS, plain_table(curated.pairs, PAIR_SCHEMA))
    write_table(layout.SPEECH, exemplar_table(speech_views(curated.kept)))
    write_table(layout.REVIEW, plain_table(curated.review, REVIEW_SCHEMA))
    write_json(layout.REPRESENTATIVENESS, as_document(curated.representativeness))
    write_json(layout.report("curate"), curate_report(curated))


if __name__ == "__main__":
    sys.exit(run_shell(main))
