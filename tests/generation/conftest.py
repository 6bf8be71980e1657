from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.generation.generated_project import GeneratedProject
from tests.generation.scripted_server import Script, ScriptedServer
from tests.sharing import build_once


@pytest.fixture(scope="session")
def compiled_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is compiled up to the splits, without generated examples; copy it before you change it."""

    def build(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as monkeypatch:
            GeneratedProject(folder).run_stages(monkeypatch, first=True)

    return build_once(tmp_path_factory, "generated-project", build)


@pytest.fixture
def project(compiled_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GeneratedProject:
    root = tmp_path / "project"
    shutil.copytree(compiled_project, root)
    monkeypatch.chdir(root)
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    found = GeneratedProject.__new__(GeneratedProject)
    found.root = root
    return found


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    servers: list[ScriptedServer] = []

    def start(script: Script, key: str | None = None) -> ScriptedServer:
        servers.append(ScriptedServer(script, key))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
