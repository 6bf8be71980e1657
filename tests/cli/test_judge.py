from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exemplars.cli.main import main
from exemplars.core import layout
from exemplars.core.files import write_json
from exemplars.models.base_models import FolderBase
from exemplars.models.preference_log import list_pairs, read_preference_lines
from exemplars.models.preference_rows import PreferencePair
from tests.conftest import PROJECT
from tests.preferences.answers import ANSWERS, write_answers
from tests.tiny import make_render_manifest


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.yaml").write_text("stages: {}\n", "utf-8")
    write_answers(tmp_path)
    write_json(
        tmp_path / layout.TRAINING_BASE,
        make_render_manifest(FolderBase(path="base", license="MIT"), "0" * 64),
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_judgments(project: Path) -> list[PreferencePair]:
    path = project / layout.RAW_PREFERENCES
    return list_pairs(read_preference_lines(path.read_bytes())) if path.exists() else []


def judge(monkeypatch: pytest.MonkeyPatch, keys: str, *options: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{key}\n" for key in keys)))
    return main(["judge", "--judge", "Kim", *options])


def test_every_decision_is_in_the_file_and_the_names_of_systems_are_not_shown(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(monkeypatch, "lr") == 0
    printed = capsys.readouterr().out
    assert [pair.judge for pair in read_judgments(project)] == ["Kim", "Kim"]
    assert "2 to judge, 0 judged before" in printed
    assert "2 judged; `exemplars ratings` rates the systems" in printed
    assert "lora" not in printed and "tagger" not in printed
    assert judge(monkeypatch, "") == 0
    assert capsys.readouterr().out == "nothing to judge: 2 are judged, 1 are the same answer\n"


def test_skip_and_undo_leave_no_preference_and_another_key_explains(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(monkeypatch, "uxlustw") == 0
    printed = capsys.readouterr().out
    assert "nothing to undo in this session" in printed
    assert printed.count("Keys: l left") == 2
    (pair,) = read_judgments(project)
    assert pair.verdict == "tie"
    assert len((project / layout.RAW_PREFERENCES).read_bytes().splitlines()) == 3


def test_programs_get_a_summary_and_nobody_is_asked(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(monkeypatch, "wq")
    capsys.readouterr()
    assert judge(monkeypatch, "", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "judgments": 1,
        "by_verdict": {"neither": 1},
        "by_judge": {"Kim": 1},
        "judged": 1,
        "open": 1,
        "same_answer": 1,
    }


def test_a_key_at_a_terminal_needs_no_enter(project: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-P", "-m", "exemplars.cli.main", "judge", "--judge", "Kim"]
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, text=True, env=environment)
    os.write(ours, b"\x1b[D")
    deadline = time.monotonic() + 60
    while not read_judgments(project) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.write(ours, b"q")
    output, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0
    assert "1 judged" in output
    assert len(read_judgments(project)) == 1


def test_without_answers_of_two_systems_there_is_nothing_to_judge(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_answers(project, ANSWERS[:1])
    assert judge(monkeypatch, "") == 1
    assert "no_pair: found 1 system(s) under the condition end_to_end" in capsys.readouterr().err
    (project / layout.PREDICTIONS).unlink()
    assert judge(monkeypatch, "") == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  data/evaluated/predictions.parquet: no_predictions: no system has answered the rows yet; run `dvc repro evaluate`"
    ]


def test_ratings_by_judgments_and_by_scores(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ratings"]) == 1
    assert capsys.readouterr().out == "no comparisons of systems: `exemplars judge` compares two\n"
    judge(monkeypatch, "lr")
    capsys.readouterr()
    assert main(["ratings"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 comparisons in 2 groups"
    assert lines[-2:] == [
        "  order",
        "warning: 2 groups are fewer than 20: the intervals are too narrow",
    ]
    assert main(["ratings", "--by", "score", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["comparisons"] == 3
    assert [(rating["system"], rating["wins"], rating["ties"]) for rating in document["systems"]] == [
        ("lora", 1, 1),
        ("tagger", 1, 1),
    ]
