from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.cli.main import main
from exemplars.models.preference_log import list_pairs, read_preference_lines

ITEM = {"prompt": "hi", "chosen": "Yes.", "rejected": "No."}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.yaml").write_text("stages: {}\n", "utf-8")
    (tmp_path / "params.yaml").write_text("{}\n", "utf-8")
    (tmp_path / "dpo.jsonl").write_text(json.dumps(ITEM) + "\n{}\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_add_appends_what_it_can_read_and_names_the_rest(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preferences", "add", "dpo.jsonl", "--license", "MIT", "--dry-run"]) == 1
    assert not (project / "data").exists()
    assert main(["preferences", "add", "dpo.jsonl", "--license", "MIT"]) == 1
    assert capsys.readouterr().out.splitlines()[2] == (
        "dpo.jsonl: 2 items, 1 added to data/raw/preferences.jsonl (1 pairs, 0 labels), 1 left out"
    )
    assert main(["preferences", "add", "dpo.jsonl", "--license", "MIT", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "items": 2,
        "added": 0,
        "pairs": 0,
        "labels": 0,
        "left_out": [
            {
                "place": "dpo.jsonl:2",
                "reason": "malformed_record",
                "message": "found no keys, expected chosen and rejected; prompt, completion and label; messages or "
                "conversations with label; or input, preferred_output and non_preferred_output",
            },
            {
                "place": "dpo.jsonl:1",
                "reason": "duplicate_record",
                "message": "the preference is there already",
            },
        ],
    }


def test_a_preference_that_was_withdrawn_no_longer_counts(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "data/raw/preferences.jsonl"
    main(["preferences", "add", "dpo.jsonl", "--license", "MIT"])
    (pair,) = list_pairs(read_preference_lines(path.read_bytes()))
    assert main(["preferences", "withdraw", pair.id]) == 0
    assert list_pairs(read_preference_lines(path.read_bytes())) == []
    assert main(["preferences", "withdraw", pair.id]) == 1
    assert "unknown_preference: found the id" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dpo.jsonl"], "dpo.jsonl:1: no_license: its texts come without a license; add --license with an SPDX"),
        (["dpo.jsonl", "--license", "Apache 2"], "--license: bad_license: found 'Apache 2' is not an SPDX identifier"),
        (["none.jsonl", "--license", "MIT"], "none.jsonl: missing_file: found no such file, expected a file"),
        (["params.yaml", "--license", "MIT"], "params.yaml:1"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(
    project: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preferences", "add", *arguments]) == 1
    captured = capsys.readouterr()
    assert sentence in captured.err + captured.out
    assert not (project / "data/raw/preferences.jsonl").exists()
