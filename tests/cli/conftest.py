"""A small project in a folder of its own, which is the current one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exemplars.cli.main import main
from tests.cli.erasure_project import SmallErasureProject
from tests.cli.project import Project
from tests.stage_server import StageServer


@pytest.fixture(autouse=True)
def _no_dvc_config_of_the_machine(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hide the DVC configuration of the user and the system, which may name a shared cache."""
    for variable in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(variable, str(tmp_path_factory.getbasetemp() / "no-dvc-config"))


@pytest.fixture(scope="session")
def forked_commands(stage_server: StageServer) -> Iterator[None]:
    """Let projects of `tests/cli/erasure_project.py` fork their commands instead of starting a Python for each."""
    SmallErasureProject.python = str(stage_server.python)
    yield
    SmallErasureProject.python = sys.executable


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run `exemplars`, which must exit with the status; return what it prints for people, or its errors."""

    def run(*arguments: str, status: int = 0) -> str:
        capsys.readouterr()
        assert main(arguments) == status
        out, err = capsys.readouterr()
        return err if status and not out else out

    return run
