"""The weights of a run take the place of older ones: killed in between, and run again."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exemplars.core import folders
from exemplars.models.run_manifest import WEIGHTS
from tests.benchmarks.kills import hash_files, run_forked

pytest.importorskip("torch")
pytest.importorskip("trl")

MODEL = Path("models/lora")


def train(learning_rate: float) -> None:
    from stages.train.recipe_params import Lora
    from tests.train.test_run import Project

    Project(Path()).train(recipe=Lora(learning_rate=learning_rate, rank=4, alpha=8))


def kill_instead(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_after(action: Callable[..., None]) -> Callable[..., None]:
    def act_and_die(*arguments: Any) -> None:
        action(*arguments)
        kill_instead()

    return act_and_die


def train_until_exchange() -> None:
    folders._exchange = kill_after(folders._exchange)
    train(2e-2)


def train_until_manifest() -> None:
    from stages.train import run

    run.write_json = kill_instead  # type: ignore[assignment]
    train(2e-2)


def test_killed_while_weights_replace_older_ones_the_same_command_recovers(tmp_path: Path) -> None:
    old = tmp_path / "old"
    (old / ".dvc").mkdir(parents=True)
    assert run_forked(lambda: train(1e-2), old) == 0, (tmp_path / "output.txt").read_text()
    new = shutil.copytree(old, tmp_path / "new")
    assert run_forked(lambda: train(2e-2), new) == 0
    weights = [hash_files(folder / MODEL / WEIGHTS) for folder in (old, new)]
    assert weights[0] != weights[1]
    for number, killed in enumerate((train_until_exchange, train_until_manifest)):
        root = shutil.copytree(old, tmp_path / str(number))
        assert run_forked(killed, root) is None
        assert hash_files(root / MODEL / WEIGHTS) == weights[1]
        assert run_forked(lambda: train(2e-2), root) == 0
        assert hash_files(root / MODEL / WEIGHTS) == weights[1]
        assert sorted(path.name for path in (root / MODEL).iterdir()) == [
            "manifest.json",
            "rows.txt",
            WEIGHTS,
        ]
