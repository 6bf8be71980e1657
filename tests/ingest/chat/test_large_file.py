"""A list of 10,000 conversations: only the row at hand is in memory."""

from __future__ import annotations

import json

from tests.conftest import Workspace
from tests.ingest.chat.rows import ask, make_call, make_row, say

ROWS = 10_000
KILOBYTES = 217_000
"""Python and its packages take 130,000; the rest is a tenth of what 100,000 rows may take within a gigabyte."""
CODE = """\
import re
from pathlib import Path
from exemplars.core.params import load_section
from stages.ingest.params import IngestParams
from stages.ingest.sources import read_source
tables = read_source("calls", load_section("ingest", IngestParams), 1)
# Not ru_maxrss: it counts the process that started this one, too.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(tables.records.num_rows, tables.rejections.num_rows, peak)
"""


def test_a_list_of_10000_rows_takes_memory_for_its_records_alone(workspace: Workspace) -> None:
    row = json.dumps(make_row(say("Weather in Oslo? " + "x" * 1000), ask(make_call(city="Oslo"))))
    workspace.write("raw/a.json", f"[{','.join([row] * ROWS)}]")
    workspace.write("params.yaml", "ingest: {sources: {calls: {format: chat, path: raw, license: MIT}}}\n")
    done = workspace.run_code(CODE)
    assert done.returncode == 0, done.stderr
    records, rejections, kilobytes = map(int, done.stdout.split())
    assert (records, rejections) == (ROWS, 0)
    assert kilobytes < KILOBYTES
