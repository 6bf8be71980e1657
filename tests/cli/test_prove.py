"""`exemplars prove`: its report, its exit status, and what it says of files and models that it cannot read."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import polars as pl
import pytest

from exemplars.cli.main import main
from tests.audit.proof.test_row_checks import KEEPS_ALL, TOOL, make_row
from tests.tiny import make_tokenizer

ARCHIVE = Path(os.environ.get("REAL_ARCHIVE", Path(__file__).parents[3] / "shared/real/real.tar.xz"))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    make_tokenizer(KEEPS_ALL).save_pretrained(str(folder))
    return folder


def write_rows(path: Path, rows: list[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_proved_rows_are_counted_and_the_status_is_zero(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = write_rows(tmp_path / "chats.jsonl", [make_row(), make_row()])
    assert main(["prove", str(rows), "--base", str(base)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("chats.jsonl: 2 rows (messages), 2 calls")
    assert lines[1:3] == ["base: base", "proved: 2 of 2"]
    assert lines[3].startswith("tokens: ")


def test_rows_that_are_not_proved_are_listed_within_80_columns(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_rows(
        tmp_path / "chats.jsonl", [make_row(tools=[TOOL, TOOL | {"function": {"name": "text"}}]), {"a": 1}]
    )
    (tmp_path / "chats.jsonl").open("a").write("{\n")
    assert main(["prove", "chats.jsonl", "--base", str(base), "--rows", "1"]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[:4] == [
        "chats.jsonl: 3 rows (messages), 1 calls",
        "base: base",
        "proved: 1 of 3",
        "        2  inconsistent        the row contradicts itself or its tools",
    ]
    assert out.splitlines()[6:] == [
        "chats.jsonl:2:",
        "  inconsistent: found the keys a, expected those of a known dialect: messages;",
        "    conversations; system and chat; query and answers; question and function",
        "… and 1 more rows; `--format json` lists all",
    ]
    assert max(map(len, out.splitlines())) <= 80


def test_the_report_for_programs_has_every_row(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chats.json"
    path.write_text(json.dumps([make_row(), make_row({"contact": 5})]))
    assert main(["prove", str(path), "--base", str(base), "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["proved"], report["dialects"]) == (2, 1, {"messages": 2})
    assert report["findings"] == {"inconsistent": 1}
    assert report["not_proved"] == [
        {
            "place": f"{path}#/1",
            "findings": [
                {
                    "code": "inconsistent",
                    "pointer": "/messages/1/tool_calls/0/function/arguments/contact",
                    "message": "found the number '5', expected a value of type string",
                }
            ],
        }
    ]


def test_keys_that_parquet_adds_to_arguments_are_found(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chats.parquet"
    pl.DataFrame([make_row({"contact": "mum"}), make_row({"loud": True})]).write_parquet(path)
    assert main(["prove", str(path), "--base", str(base), "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["findings"] == {"inconsistent": 2}
    message = report["not_proved"][0]["findings"][0]["message"]
    assert message == "found null, expected a value of type boolean"


def test_a_result_may_follow_a_call_that_is_text_unless_the_row_has_tools(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = [("user", "ring mum"), ("assistant", 'ring(who="mum")'), ("tool", "ok")]
    row = {
        "prompt": [{"role": role, "content": content} for role, content in prompt],
        "completion": [{"role": "assistant", "content": "Done."}],
    }
    rows = write_rows(tmp_path / "chats.jsonl", [row, row | {"tools": [TOOL]}])
    assert main(["prove", str(rows), "--base", str(base), "--format", "json"]) == 1
    [not_proved] = json.loads(capsys.readouterr().out)["not_proved"]
    assert not_proved["place"].endswith("chats.jsonl:2")
    assert (
        not_proved["findings"][0]["message"]
        == "found a result without a call, expected a call before the result"
    )


def test_another_template_can_be_tried(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = write_rows(tmp_path / "chats.jsonl", [make_row()])
    template = tmp_path / "chat.jinja"
    template.write_text("{{ messages[0]['content'] }}")
    assert main(["prove", str(rows), "--base", str(base), "--template", str(template)]) == 1
    assert "call_lost" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "missing_file: found no such file"),
        ("", "empty_file: found an empty file, expected at least one record"),
        ("[]", "empty_file: found an empty array, expected at least one record"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(
    content: str | None, message: str, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chats.json"
    if content is not None:
        path.write_text(content)
    assert main(["prove", str(path), "--base", str(base)]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("base", ["nowhere", "no_such_package:a.gguf", "json:a.gguf", "../x:y"])
def test_a_base_that_is_not_there_is_one_sentence(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = write_rows(tmp_path / "chats.jsonl", [make_row()])
    assert main(["prove", str(rows), "--base", base]) == 1
    assert "base_model: found no such folder, and no file in an installed package" in capsys.readouterr().err


@pytest.mark.skipif(not ARCHIVE.is_file(), reason="real.tar.xz is missing: set REAL_ARCHIVE to its path")
def test_real_conversations_keep_every_call(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tarfile.open(ARCHIVE) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(tmp_path)
    file = next(tmp_path.rglob("glaive_toolcall_en_demo.json"))
    main(["prove", str(file), "--base", str(base), "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["calls"], report["dialects"]) == (300, 211, {"sharegpt": 300})
    assert report["findings"] == {"inconsistent": 1}
