"""What `dvc metrics diff` and `dvc metrics show` print after a retraining: one screen."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from exemplars.core import layout
from exemplars.core.files import write_json, write_report
from stages.evaluate.metrics import CALL_METRICS
from stages.evaluate.outputs import write_metrics
from stages.evaluate.report import build_system_metrics
from stages.train.report import build_train_metrics
from tests.stage_server import StageServer

PROJECT = Path(__file__).parents[2]
SCREEN_LINES = 40
SYSTEMS = ("knn", "tagger", "lora", "lora_constrained", "cascade")
CONDITIONS = ("oracle", "end_to_end")
"""As many as the default compares."""


def run(*command: str) -> str:
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "COLUMNS": "200"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commit() -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
    run("git", "add", "-A")
    run("git", *identity, "commit", "-q", "-m", "a training")


def write_training(value: float) -> None:
    """Write the reports of a training whose figures all depend on `value`."""
    figure = {"value": value, "low": value / 2, "high": value * 2}
    systems = {system: {**dict.fromkeys(CALL_METRICS, figure), "errors": {}} for system in SYSTEMS}
    evaluation: dict[str, Any] = {
        "runs": {"lora": {"run": f"lora-{value}", "role": "language_model"}},
        "conditions": {condition: {"systems": systems} for condition in CONDITIONS},
    }
    write_json(layout.details("evaluate"), evaluation)
    write_metrics(build_system_metrics(evaluation))
    training = {
        "run": f"lora-{value}",
        "losses": {"train_loss": value, "validation_loss": value / 2},
        "steps": int(value * 1000),
        "tokens": int(value * 10_000),
        "parameters": 9,
        "trained_parameters": int(value * 100),
    }
    write_report("train/lora", training, build_train_metrics(training))


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two trainings with this project's pipeline, in two commits; no figure is the same."""
    monkeypatch.chdir(tmp_path)
    for name in ("dvc.yaml", "params.yaml", ".dvc/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, name)
    run("git", "init", "-q")
    write_training(0.1)
    commit()
    write_training(0.3)
    commit()


@pytest.mark.usefixtures("trained")
def test_a_retraining_fits_a_screen(stage_server: StageServer) -> None:
    lines = run(str(stage_server.python), "-m", "dvc", "metrics", "diff", "HEAD~1", "HEAD").splitlines()
    assert 30 < len(lines) <= SCREEN_LINES
    cells = [line.split() for line in lines]
    assert ["reports/evaluate/end_to_end/lora.json", "exact_match", "0.1", "0.3", "0.2"] in cells
    assert ["reports/train/lora.json", "validation_loss", "0.05", "0.15", "0.1"] in cells


@pytest.mark.usefixtures("trained")
def test_systems_are_the_rows_of_a_table_with_a_column_for_each_figure(stage_server: StageServer) -> None:
    lines = run(str(stage_server.python), "-m", "dvc", "metrics", "show", "reports/evaluate").splitlines()
    assert lines[0].split() == [
        "Path",
        "exact_match",
        "exact_match_high",
        "exact_match_low",
        "hallucinated_functions",
        "skill_accuracy",
    ]
    assert sorted(line.split()[0] for line in lines[1:]) == sorted(
        f"reports/evaluate/{condition}/{system}.json" for condition in CONDITIONS for system in SYSTEMS
    )
