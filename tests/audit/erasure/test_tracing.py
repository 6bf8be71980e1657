"""An erased row is followed through the tables of all revisions, and no other row is taken for it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow.parquet as pq
import pytest

from exemplars.audit.erasure.matched_rows import ErasedRow, MatchedRows
from exemplars.audit.erasure.search import SearchTerms, make_matcher
from exemplars.audit.erasure.table_reader import TableReader
from exemplars.audit.erasure.tracing import Trace, build_search_terms, trace_rows
from exemplars.core.ids import make_speech_id
from exemplars.core.records import Exemplar, Mode, Origin, Record, TextPair
from exemplars.core.tables import rows_to_table
from stages.ingest.tombstones import Erasures, Tombstone, hash_with_key

KEY = b"a key of the tests"
SAID = "ring Augusta at 5:31"
SPOKEN = "ring augusta at five thirty one"
OLD, NEW = "a" * 64, "b" * 64


class FakeStore(NamedTuple):
    """A store of tables, in memory."""

    name: str
    objects: dict[str, bytes]

    def list_objects(self) -> list[str]:
        return sorted(self.objects)

    def read_object(self, md5: str) -> bytes:
        return self.objects[md5]


class FakeStores(NamedTuple):
    present: tuple[FakeStore, ...]


def record(line: int, sha256: str, utterance: str) -> Record:
    return Record(
        id=f"skills:call.md#{line}",
        turn=f"skills:call.md#{line}",
        source="skills",
        utterance=utterance,
        mode=Mode.NONE,
        skill=None,
        service=None,
        arguments=(),
        context=(),
        group="skills:call.md",
        license="Apache-2.0",
        origin=Origin("call.md", sha256, str(line)),
    )


def speech(line: int, sha256: str, utterance: str) -> Exemplar:
    row = record(line, sha256, utterance)
    return Exemplar(
        id=make_speech_id(row.id),
        digest=hashlib.sha256(f"{utterance}~".encode()).hexdigest(),
        source=row.source,
        turn=make_speech_id(row.turn),
        call=0,
        service=None,
        skill=None,
        mode=row.mode,
        speaker=row.speaker,
        utterance=utterance,
        exemplar=utterance,
        arguments=(),
        reply=None,
        context=(),
        group=row.group,
        license=row.license,
        origin=row.origin,
    )


def write(rows: Sequence[msgspec.Struct]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(rows_to_table(rows, type(rows[0])), buffer)
    return buffer.getvalue()


OBJECTS = {
    # As first committed; then a line was inserted above, and the ids moved down by two.
    "old records": write([record(5, OLD, SAID), record(7, OLD, "ring the office at 9:15")]),
    "old speech of the row": write([speech(5, OLD, SPOKEN)]),
    "old speech of a row that had the id": write([speech(7, OLD, "ring the office at nine fifteen")]),
    "new records": write([record(7, NEW, SAID), record(9, NEW, "ring the office at 9:15")]),
    "new speech of the row": write([speech(7, NEW, SPOKEN)]),
    "new speech of a kept row": write([speech(9, NEW, "ring the office at nine fifteen")]),
    "pairs": write([TextPair("utterance", "ring augusta at 531", "ring agatha at 531", 0.9)]),
    "pairs of kept rows": write(
        [TextPair("utterance", "ring the office at 915", "ring an office at 915", 0.9)]
    ),
    "page": b"<p>ring augusta at five thirty one</p>",
    "page of kept rows": b"<p>ring the office at nine fifteen</p>",
}
HOLDING = [
    "new records",
    "new speech of the row",
    "old records",
    "old speech of the row",
    "page",
    "pairs",
]


def show(names: Sequence[str], title: str) -> Iterable[str]:
    return names


def trace(root: Path, objects: dict[str, bytes], redacted: dict[str, str]) -> tuple[Trace, SearchTerms]:
    """Trace the row of line 7, which is redacted in the raw file."""
    tombstone = Tombstone(
        id="t1", place="skills:call.md#7", reviewer="Kim", reason="asked for it", redacted=redacted
    )
    row = ErasedRow("skills:call.md#7", "skills", "data/raw/call.md", "7", tombstone, None)
    kept = {"ring the office at 9:15"}
    matched = MatchedRows([row], kept, [], {"skills:call.md#9"}, set(), set())
    needed = {name: {"HEAD": [f"data/records/{name}"]} for name in objects if name.endswith("records")}
    stores: Any = FakeStores((FakeStore("the cache", objects),))
    reader = TableReader(root, ("data",), stores, needed, show)
    found = trace_rows(matched, Erasures((tombstone,), KEY), reader)
    return found, build_search_terms(found, matched, (), reader)


def test_a_row_is_followed_to_the_ids_that_it_had_before_a_line_was_inserted(tmp_path: Path) -> None:
    found, terms = trace(tmp_path, OBJECTS, {"skills:call.md#7": hash_with_key(SAID, KEY)})
    assert found.utterances == {"skills:call.md#5": SAID, "skills:call.md#7": SAID}
    matches = make_matcher(terms)
    assert [name for name, data in sorted(OBJECTS.items()) if matches(data)] == HOLDING


def test_speech_views_are_found_by_their_ids_when_no_table_has_the_text_any_more(tmp_path: Path) -> None:
    objects = {name: data for name, data in OBJECTS.items() if "speech" in name}
    current = tmp_path / "data/curated/speech.parquet"
    current.parent.mkdir(parents=True)
    current.write_bytes(OBJECTS["new speech of a kept row"])
    _, terms = trace(tmp_path, objects, {"skills:call.md#7": hash_with_key(SAID, KEY)})
    matches = make_matcher(terms)
    assert matches(objects["new speech of the row"])
    assert not matches(objects["new speech of a kept row"])


def test_the_text_of_a_row_that_no_stage_has_read_is_found_in_a_raw_file(tmp_path: Path) -> None:
    raw = {
        "raw": f"### User: {SAID}\n### Assistant: None\n".encode(),
        "other": b"### User: ring the office\n",
    }
    found, terms = trace(tmp_path, raw, {"skills:call.md#7": hash_with_key(SAID, KEY)})
    assert found.utterances == {"skills:call.md#7": SAID}
    matches = make_matcher(terms)
    assert [name for name, data in raw.items() if matches(data)] == ["raw"]


@pytest.mark.parametrize("kept", ["Ring Augusta at 5:31!", "please ring Augusta at 5:31, thanks"])
def test_a_kept_row_with_the_text_of_an_erased_row_is_not_taken_for_it(tmp_path: Path, kept: str) -> None:
    tombstone = Tombstone(id="t1", place="skills:call.md#7", reviewer="Kim", reason="asked for it")
    origin = Origin("call.md", NEW, "7")
    row = ErasedRow("skills:call.md#7", "skills", "data/raw/call.md", "7", tombstone, SAID, (), origin)
    matched = MatchedRows([row], {kept}, [], {"skills:call.md#9"}, set(), set())
    objects = {
        "kept": write([record(9, NEW, kept)]),
        "kept speech": write([speech(9, NEW, SPOKEN)]),
        "erased speech": write([speech(7, NEW, SPOKEN)]),
    }
    for name in ("kept", "kept speech"):
        path = tmp_path / f"data/records/{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(objects[name])
    stores: Any = FakeStores((FakeStore("the cache", objects),))
    reader = TableReader(tmp_path, ("data",), stores, {}, show)
    terms = build_search_terms(trace_rows(matched, Erasures((tombstone,), KEY), reader), matched, (), reader)
    matches = make_matcher(terms)
    assert [name for name, data in objects.items() if matches(data)] == ["erased speech"]


def test_a_table_that_is_damaged_is_searched_as_bytes(tmp_path: Path) -> None:
    _, terms = trace(tmp_path, OBJECTS, {"skills:call.md#7": hash_with_key(SAID, KEY)})
    assert make_matcher(terms)(b"PAR1\0" + SAID.encode())
