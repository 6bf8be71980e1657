"""Trainings that are killed after a checkpoint."""

from __future__ import annotations

import signal
import subprocess
import time

from tests.conftest import Workspace
from tests.stage_server import StageServer


def kill_at_checkpoint(workspace: Workspace, server: StageServer, recipe: str, checkpoint: str) -> None:
    """Train until a checkpoint is written, and kill the stage. checkpoint: a pattern of its file."""
    process = subprocess.Popen(
        [server.python, "-m", "stages.train", recipe],
        cwd=workspace.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list(workspace.root.glob(f"models/.checkpoints/*/{checkpoint}")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()  # Until the stage, which has the other end of the pipe, is dead, too.
