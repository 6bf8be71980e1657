from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.cli.main import main


def test_a_project_is_made_and_what_to_do_next_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "hotel", "--skills", "book_room,room_service"]) == 0
    assert capsys.readouterr().out == (
        "hotel: 21 files written\nnext: cd hotel && exemplars lint && dvc repro validate\n"
    )
    assert (tmp_path / "hotel/.git").is_dir()
    assert main(["init", "hotel"]) == 1
    assert "folder_in_use" in capsys.readouterr().err


def test_a_project_within_a_repository_is_made_where_the_user_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "hotel").mkdir()
    monkeypatch.chdir(tmp_path / "hotel")
    assert main(["init", ".", "--from", "jsonl"]) == 0
    assert Path("data/raw/hotel/my_skill.jsonl").is_file()
    assert "next: git init" in capsys.readouterr().out or Path(".git").is_dir()


def test_a_bad_name_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "hotel", "--skills", "book room"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--tools", "tools.json", "--from", "chat"],
            "  --tools: unused_option: found --from, too, expected one of the two, since --tools writes a skill file for "
            "each function; leave out --from; or leave out --tools, and copy the definitions to `tools.json` in the "
            "folder of the source",
        ),
        (
            ["--openapi", "api.yaml", "--skills", "ring"],
            "  --openapi: unused_option: found --skills, too, expected one of the two, since --openapi writes a skill "
            "file for each function; leave out --skills",
        ),
    ],
)
def test_definitions_of_functions_exclude_other_ways_to_begin(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "hotel", *options]) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [message]
    assert list(tmp_path.iterdir()) == []
