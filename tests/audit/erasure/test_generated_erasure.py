"""Generated answers that a tombstone matches: found in whole and in broken answers, and redacted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.audit.erasure.matched_rows import find_erased_rows
from exemplars.audit.erasure.redaction import choose_redactor
from exemplars.core.records import Reason
from exemplars.dataset.row_tables import rejections_from_table
from stages.ingest.params import GeneratedSource, IngestParams
from stages.ingest.sources import read_source
from stages.ingest.tombstones import Erasures, Tombstone
from tests.ingest.test_generated import DIAL, RING, make_line

SOURCE = GeneratedSource(path="generated", license="MIT")
PARAMS = IngestParams(sources={"generated": SOURCE})
ERASURES = Erasures(
    (Tombstone(id="t1", pattern="Ada", reviewer="Kim", reason="a name"),), b"0123456789abcdef"
)


def test_examples_of_a_pattern_are_found_and_redacted_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("generated/m.jsonl")
    file.parent.mkdir()
    broken, refusal = make_line("I know Ada, but"), make_line(None, refusal="Ada is a person.")
    file.write_bytes(make_line(json.dumps({"examples": [DIAL, RING]})) + broken + refusal)
    found = [(row.file, row.locator) for row in find_erased_rows(PARAMS, ERASURES, 1).rows]
    assert sorted(found) == [
        ("generated/m.jsonl", "1/answer/examples/1"),
        ("generated/m.jsonl", "2/answer/examples/0"),
        ("generated/m.jsonl", "3/answer/examples/0"),
    ]
    redact = choose_redactor(SOURCE)
    assert redact is not None
    file.write_bytes(redact(file.read_bytes(), [locator for _, locator in found]))
    assert b"Ada" not in file.read_bytes()
    assert b"dial Bo" in file.read_bytes()
    places = Tombstone(id="t2", place="generated:m.jsonl", reviewer="Kim", reason="all of it")
    tables = read_source("generated", PARAMS, 1, Erasures((places,), ERASURES.key))
    rejections = rejections_from_table(tables.rejections)
    assert [(row.id, row.reason, row.utterance) for row in rejections] == [
        (f"generated:m.jsonl#{place}", Reason.ERASED, None)
        for place in (
            "1/answer/examples/0",
            "1/answer/examples/1",
            "2/answer/examples/0",
            "3/answer/examples/0",
        )
    ]
