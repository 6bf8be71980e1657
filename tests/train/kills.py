"""Trainings that are killed while they write a checkpoint."""

from __future__ import annotations

import signal

import pytest

from tests.conftest import Workspace
from tests.stage_server import KILLED_AT


def kill_at_second_checkpoint(workspace: Workspace, recipe: str, file: str) -> None:
    """Train until the second checkpoint is written, and kill the stage then. file: the last one of a checkpoint."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KILLED_AT, file)
        done = workspace.run("stages.train", recipe)
    assert done.returncode == 128 + signal.SIGKILL, done.stderr
