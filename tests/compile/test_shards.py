from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.core.records import LabelledArgument, Mode, Origin, Reason, Record
from exemplars.core.tables import write_table
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Recognizers
from exemplars.dataset.row_tables import records_to_table, rejections_from_table
from stages.compile.exemplars import SourceRules
from stages.compile.inputs import CompileInputs
from tests.compile.compiling import Compiled, compile_inputs

CALL = Skill("call", parameters=(Parameter("who"),))


def record(turn: str, call: int, who: str) -> Record:
    row_id = f"s:{turn}/{call}"
    return Record(
        id=row_id,
        turn=f"s:{turn}",
        source="s",
        utterance="call Ann and Bob",
        mode=Mode.NORMAL,
        skill="call",
        service=None,
        arguments=(LabelledArgument("who", who),),
        context=(),
        group="s:a",
        license="MIT",
        origin=Origin("a", "0" * 64, f"{turn}/{call}"),
        call=call,
    )


def compile_records(folder: Path, records: list[Record], workers: int = 1) -> Compiled:
    path = folder / "s.parquet"
    write_table(path, records_to_table(records))
    inputs = CompileInputs(
        paths=(path,),
        ledgers=(),
        records={"s": len(records)},
        skills=(CALL,),
        recognizers=Recognizers(),
        rules={"s": SourceRules()},
    )
    return compile_inputs(folder, inputs, workers)


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
