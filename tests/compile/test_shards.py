from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exemplars.core.ledger import Ledger, find_incomplete_turns
from exemplars.core.records import Exemplar, LabelledArgument, Mode, Origin, Reason, Record, Rejection
from exemplars.core.tables import write_table
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Recognizers
from exemplars.dataset.row_tables import records_to_table, rejections_from_table
from stages.compile.compilation import BATCH_ROWS
from stages.compile.contradictions import reject_contradictions
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.inputs import CompileInputs
from stages.compile.lexicon import Lexicon
from tests.compile.compiling import Compiled, compile_inputs

CALL = Skill("call", parameters=(Parameter("who"),))


def record(
    turn: str,
    call: int,
    who: str,
    source: str = "s",
    utterance: str = "call Ann and Bob",
    service: str | None = None,
) -> Record:
    return Record(
        id=f"{source}:{turn}/{call}",
        turn=f"{source}:{turn}",
        source=source,
        utterance=utterance,
        mode=Mode.NORMAL,
        skill="call",
        service=service,
        arguments=(LabelledArgument("who", who),),
        context=(),
        group="s:a",
        license="MIT",
        origin=Origin("a", "0" * 64, f"{turn}/{call}"),
        call=call,
    )


def compile_records(
    folder: Path, records: list[Record], workers: int = 1, batch_rows: int = BATCH_ROWS
) -> Compiled:
    """Compile records; those of the source `g` are candidates."""
    sources = sorted({record.source for record in records})
    paths = tuple(folder / f"{source}.parquet" for source in sources)
    for source, path in zip(sources, paths, strict=True):
        write_table(path, records_to_table([record for record in records if record.source == source]))
    inputs = CompileInputs(
        paths=paths,
        ledgers=(),
        records=Counter(record.source for record in records),
        skills=(CALL,),
        recognizers=Recognizers(),
        rules=dict.fromkeys(sources, SourceRules()),
        candidates=frozenset({"g"}),
    )
    return compile_inputs(folder, inputs, workers, batch_rows)


def list_rejected(compiled: Compiled) -> dict[str, Reason]:
    return {row.id: row.reason for row in rejections_from_table(compiled.rejections)}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_turn_that_lost_a_call_is_not_compared_with_whole_turns(tmp_path: Path, workers: int) -> None:
    records = [record("a", 0, "Ann"), record("a", 1, "Zoe"), record("b", 0, "Ann"), record("c", 0, "Ann")]
    compiled = compile_records(tmp_path, records, workers)
    assert compiled.exemplars.column("id").to_pylist() == ["s:b/0"]
    assert list_rejected(compiled) == {
        "s:a/0": Reason.INCOMPLETE_TURN,
        "s:a/1": Reason.VALUE_NOT_FOUND,
        "s:c/0": Reason.DUPLICATE_EXEMPLAR,
    }


def test_a_repeated_turn_loses_all_of_its_calls_whatever_their_order(tmp_path: Path) -> None:
    first = [record("a", 0, "Ann"), record("a", 1, "Bob")]
    compiled = compile_records(tmp_path, [*first, record("b", 0, "Bob"), record("b", 1, "Ann")])
    assert compiled.exemplars.column("id").to_pylist() == ["s:a/0", "s:a/1"]
    assert list_rejected(compiled) == {
        "s:b/0": Reason.DUPLICATE_EXEMPLAR,
        "s:b/1": Reason.DUPLICATE_EXEMPLAR,
    }


def settle_at_once(records: list[Record]) -> tuple[list[str], dict[str, str]]:
    """Compile records, and compare all of them with each other: the ids of those that stay, and why others do not."""
    ledger = Ledger("compile")
    rows = [compile_record(record, {"call": CALL}, Lexicon(Recognizers())) for record in records]
    rejections = [row for row in rows if isinstance(row, Rejection)]
    incomplete = find_incomplete_turns(records, {row.id for row in rejections})
    exemplars = ledger.keep(
        [row for row in rows if isinstance(row, Exemplar)], lambda row: incomplete.get(row.id)
    )
    kept = reject_contradictions(exemplars, ledger, {"g"})
    return sorted(row.id for row in kept), {row.id: row.message for row in (*rejections, *ledger.rejections)}


CALLS = st.sampled_from(
    [
        [("Ann", None)],
        [("Bob", None)],
        [("Ann", "A"), ("Bob", "A")],
        [("Bob", "A"), ("Ann", "A")],
        [("Ann", "A"), ("Bob", "B")],
        [("Ann", "A"), ("Zoe", "B")],
        [("Ann", "A"), ("Zoe", "A")],
    ]
)
"""The calls of a turn, each with its service; `Zoe` is not said."""
TURNS = st.lists(
    st.tuples(st.sampled_from(["g", "s"]), st.sampled_from(["call Ann and Bob", "call Bob and Ann"]), CALLS),
    max_size=8,
)


@settings(max_examples=30)
@given(turns=TURNS, batch_rows=st.sampled_from([1, 2, 5, 1_000]))
def test_the_size_of_batches_changes_no_decision(
    turns: list[tuple[str, str, list[tuple[str, str | None]]]], batch_rows: int
) -> None:
    records = [
        record(f"{number:02}", call, who, source, utterance, service)
        for number, (source, utterance, calls) in enumerate(turns)
        for call, (who, service) in enumerate(calls)
    ]
    with TemporaryDirectory() as folder:
        compiled = compile_records(Path(folder), records, batch_rows=batch_rows)
    kept, messages = settle_at_once(records)
    assert sorted(compiled.exemplars.column("id").to_pylist()) == kept
    rejections = rejections_from_table(compiled.rejections)
    assert {row.id: row.message for row in rejections} == messages
    assert [row.id for row in rejections] == sorted(messages)
