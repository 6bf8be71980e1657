"""DVC accepts the experiments that the documents show, in a clone."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.test_documented_examples import DVC
from tests.pipeline.conftest import Clone
from tests.stage_server import StageServer

EXPERIMENTS = sorted({command for _, command in DVC if command.startswith("dvc exp run ")})


@pytest.mark.slow
def test_dvc_queues_each_documented_experiment(tmp_path: Path, stage_server: StageServer) -> None:
    """What the changed parameters do is up to the stages; `test_documented_examples.py` checks their values."""
    clone = Clone(tmp_path, stage_server)
    assert "dvc exp run -S curate.duplicates.similarity=0.85" in EXPERIMENTS
    for command in EXPERIMENTS:
        arguments = [word for word in shlex.split(command)[1:] if word != "--queue"]
        done = clone.dvc(*arguments, "--queue")
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert "Queued experiment" in done.stdout
    assert clone.git("status", "--porcelain") == ""
