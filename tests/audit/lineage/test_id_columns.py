from __future__ import annotations

import polars as pl

from exemplars.audit.lineage.id_columns import extract_file, extract_line, strip_speech_column
from exemplars.core.ids import make_speech_id, parse_row_id

IDS = ["skills:call.md#7", "sgd:train/d.json#/0/turns/2", "a:b#c.md#12"]


def test_columns_of_ids_are_parsed_as_single_ids() -> None:
    speech = [*IDS, *map(make_speech_id, IDS)]
    parsed = pl.DataFrame({"id": speech}).select(strip_speech_column("id"))
    assert parsed["id"].to_list() == IDS * 2
    frame = pl.DataFrame({"id": IDS}).select(file=extract_file("id"), line=extract_line("id"))
    rows = [parse_row_id(row_id) for row_id in IDS]
    assert frame["file"].to_list() == [f"{row.source}:{row.path}" for row in rows]
    lines = [int(row.locator) if row.locator.isdecimal() else None for row in rows]
    assert frame["line"].to_list() == lines
