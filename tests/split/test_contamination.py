"""Train rows that are in a test set of other people leave train, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from exemplars.core.errors import UserError
from exemplars.core.ids import SplitName
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.split.foreign_texts import ForeignText, list_user_texts
from stages.split.inputs import read_foreign_texts
from stages.split.row_checks import find_contaminated_rows
from tests.curate.rows import make_argument, make_row, make_turn


def find(texts: dict[str, tuple[SplitName, str, str]], *foreign: tuple[str, str]) -> dict[str, Problem]:
    """Find the rows (id: split, utterance, exemplar) that the texts (column, text) of the set `bfcl` have."""
    rows = [
        msgspec.structs.replace(make_row(name, utterance), exemplar=exemplar)
        for name, (_, utterance, exemplar) in texts.items()
    ]
    splits = {f"s:{name}": split for name, (split, *_) in texts.items()}
    sets = [
        ForeignText("bfcl", f"bfcl/a.jsonl:{line}", text, column)
        for line, (column, text) in enumerate(foreign, 1)
    ]
    return find_contaminated_rows(rows, splits, sets, 0.8)


def problem(likeness: str, line: int) -> Problem:
    return Problem(
        Reason.LEAKED,
        found=f"{likeness} as bfcl/a.jsonl:{line}, which other people test with",
        fix="to keep this row, remove the set from split.leaks.against",
    )


def test_all_calls_of_a_turn_leave_train_together() -> None:
    text = "call mum and dad"
    arguments = [(make_argument("who", who, text),) for who in ("mum", "dad")]
    turn = make_turn("1", text, ("call", arguments[0]), ("call", arguments[1]))
    foreign = ForeignText("bfcl", "bfcl/a.jsonl:1", "call <who> and dad", "exemplar")
    assert find_contaminated_rows(turn, {"s:1": "train"}, [foreign], 0.8) == dict.fromkeys(
        ("s:1/0", "s:1/1"), problem("the same template", 1)
    )


def test_equal_respelled_and_nearly_equal_utterances_leave_train() -> None:
    rows: dict[str, tuple[SplitName, str, str]] = {
        "0": ("train", "What's 9 * 9?", "What's <question>?"),
        "1": ("train", "whats the weather", "whats the weather"),
        "2": (
            "train",
            "please play some quiet jazz music for me right now",
            "please play some <genre> for me",
        ),
        "3": ("train", "call mum", "call <who>"),
        "4": ("test", "What's 9 * 9?", "What's <question>?"),
        "5": ("validation", "What's 9 * 9?", "What's <question>?"),
    }
    texts = [
        ("utterance", "what's 9 * 9"),
        ("utterance", "What's the weather?"),
        ("utterance", "please play some quiet jazz music for me right away now"),
    ]
    assert find(rows, *texts) == {
        "s:0": problem("the same utterance", 1),
        "s:1": problem("the same utterance in another spelling", 2),
        "s:2": problem("nearly the same utterance", 3),
    }


def test_signs_that_carry_meaning_make_a_text_a_near_one_only() -> None:
    assert find({"0": ("train", "heat to -5", "heat to <t>")}, ("utterance", "heat to 5")) == {
        "s:0": problem("nearly the same utterance", 1)
    }


def test_a_template_is_compared_with_templates_alone() -> None:
    rows: dict[str, tuple[SplitName, str, str]] = {"0": ("train", "call mum", "call <who>")}
    assert find(rows, ("utterance", "call <who>")) == {}
    assert find(rows, ("exemplar", "Call <who>!")) == {"s:0": problem("the same template", 1)}


@pytest.mark.parametrize(
    ("row", "texts"),
    [
        ("call mum", ["call mum"]),
        ({"utterance": "call mum", "skill": "call"}, ["call mum"]),
        (
            {"id": "x", "question": [[{"role": "user", "content": "call mum"}]], "function": [{"name": "f"}]},
            ["call mum"],
        ),
        (
            {"conversations": [{"from": "human", "value": "call"}, {"from": "gpt", "value": "whom?"}]},
            ["call"],
        ),
        (
            {"prompt": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "call"}]},
            ["call"],
        ),
        ({"AddToPlaylist": [{"data": [{"text": "add "}, {"text": "this", "entity": "item"}]}]}, ["add this"]),
        ({"oos_test": [["what is love", "oos"], ["call mum", "call"]]}, ["what is love", "call mum"]),
        ({"query": "call mum", "answers": "[]"}, ["call mum"]),
        ({"label": 5}, []),
    ],
)
def test_what_users_say_is_found_in_rows_of_many_forms(row: Any, texts: list[str]) -> None:
    assert [text.text for text in list_user_texts(row)] == texts


def write_sets(folder: Path) -> None:
    for path, content in {
        "README.md": "not a set",
        "bfcl/a.jsonl": '{"question": "call mum"}\n\n{"question": "ring dad"}\n',
        "bfcl/deep/b.json": '[{"text": "um"}]',
        "bfcl/notes.md": "left alone",
        "snips/c.json": '{"Play": [\n {"data": [{"text": "jazz"}]}]}',
        "plain/d.txt": "hello\n\nbye\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    release = folder / "release/train.parquet"
    release.parent.mkdir()
    pl.DataFrame({"utterance": ["call mum"], "exemplar": ["call <who>"]}).write_parquet(release)


def test_sets_of_text_json_and_parquet_are_read_with_their_places(tmp_path: Path) -> None:
    write_sets(tmp_path)
    texts = read_foreign_texts(tmp_path, ["bfcl", "plain", "release", "snips"])
    assert [(text.place, text.column, text.text) for text in texts] == [
        ("bfcl/a.jsonl:1", "utterance", "call mum"),
        ("bfcl/a.jsonl:3", "utterance", "ring dad"),
        ("bfcl/deep/b.json#/0", "utterance", "um"),
        ("plain/d.txt:1", "utterance", "hello"),
        ("plain/d.txt:3", "utterance", "bye"),
        ("release/train.parquet#/0", "utterance", "call mum"),
        ("release/train.parquet#/0", "exemplar", "call <who>"),
        ("snips/c.json#/Play/0", "utterance", "jazz"),
    ]


def test_missing_unnamed_and_broken_sets_are_all_reported(tmp_path: Path) -> None:
    write_sets(tmp_path)
    (tmp_path / "bfcl/a.jsonl").write_text("{")
    (tmp_path / "empty").mkdir()
    (tmp_path / "plain/d.txt").write_bytes(b"\xff")
    (tmp_path / "release/train.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError) as caught:
        read_foreign_texts(tmp_path, ["bfcl", "empty", "plain", "release", "snps"])
    sentences = [str(diagnostic).replace(f"{tmp_path}/", "") for diagnostic in caught.value.diagnostics]
    assert sentences == [
        f"params.yaml: unknown_set: found split.leaks.against with 'snps', which is no folder below {tmp_path}, "
        "expected bfcl, empty, plain and 2 more; did you mean 'snips'?",
        "snips: unnamed_set: found a test set that no parameter names, expected snips in split.leaks.against "
        "(params.yaml); name it there, or move the folder away",
        "bfcl/a.jsonl: bad_test_set: found what cannot be decoded (Input data was truncated), expected UTF-8, and JSON "
        "if it is JSON; correct the file, or move it away",
        "empty: bad_test_set: found no text, expected files with texts (.jsonl, .json, .parquet, .txt); correct the "
        "file, or move it away",
        "plain/d.txt: bad_test_set: found what cannot be decoded ('utf-8' codec can't decode byte 0xff in position 0: "
        "invalid start byte), expected UTF-8, and JSON if it is JSON; correct the file, or move it away",
        "release/train.parquet: bad_test_set: found no Parquet, expected a table of rows; correct the file, or move it away",
    ]


def test_without_sets_and_without_the_folder_nothing_is_compared(tmp_path: Path) -> None:
    assert read_foreign_texts(tmp_path / "against", []) == []
