"""Templates without values count in the conservation of rows and in the report of `compile`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.audit.dvc_cache import Output
from exemplars.audit.verification.conservation import check_row_conservation
from exemplars.audit.verification.report_counts import check_reports
from exemplars.audit.verification.tables import Tables
from exemplars.core import layout
from exemplars.core.tables import write_table
from exemplars.dataset.row_tables import (
    exemplars_to_table,
    records_to_table,
    rejections_to_table,
    select_templates,
)
from stages.ingest.opencui import parse_bot
from stages.ingest.reading import SourceInfo
from tests.ingest.opencui.bots import GARAGE, write_bot

LEDGER = layout.ledger_path(layout.EXEMPLARS)


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    reading = parse_bot(SourceInfo("bots", "MIT"), write_bot(GARAGE), 1)
    records = records_to_table([record for record in reading.records if record.is_template])
    written = {
        layout.records("bots"): records,
        layout.record_rejections("bots"): rejections_to_table([]),
        layout.EXEMPLARS: exemplars_to_table([]),
        layout.TEMPLATES: select_templates(records),
        LEDGER: rejections_to_table([]),
    }
    for path, table in written.items():
        write_table(tmp_path / path, table)
    return Tables(tmp_path, [Output(path.as_posix(), "") for path in written], ())


def test_a_template_is_where_its_record_went(tables: Tables) -> None:
    check = check_row_conservation(tables, ["bots"], {})
    assert (check.problems, check.counted) == ((), "2 rows in = kept + rejected, at 1 stages")


def test_a_lost_template_is_found(tables: Tables) -> None:
    write_table(tables.files / layout.TEMPLATES, select_templates(records_to_table([])))
    (problem,) = check_row_conservation(tables, ["bots"], {}).problems
    assert (
        problem.found
        == "2 of 2 rows missing: bots:exemplars.json#/BookService/2, bots:exemplars.json#/BookService/3"
    )


def test_the_report_is_recounted(tables: Tables) -> None:
    path = tables.files / layout.details("compile")
    path.parent.mkdir(parents=True)
    counts = {"records": 2, "exemplars": 0, "unfilled_templates": 1, "rejections": 0}
    counts |= {"exemplars_by_source": {}, "rejections_by_reason": {}, "exemplars_by_mode": {}}
    path.write_text(json.dumps(counts))
    (problem,) = check_reports(tables, ["bots"], [layout.details("compile").as_posix()]).problems
    assert (problem.found, problem.expected) == ("unfilled_templates = 1", "2, counted in the tables")
