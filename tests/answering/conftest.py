"""The trained project, once for all tests of a module that asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sharing import build_once


@pytest.fixture(scope="session")
def trained_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project with a tiny tagger and a tiny language model."""
    pytest.importorskip("torch")
    from tests.answering.project import build_trained_project

    def build(root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            build_trained_project()

    return build_once(tmp_path_factory, "trained", build)


@pytest.fixture
def in_project(trained_project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The trained project as the working folder."""
    monkeypatch.chdir(trained_project)
    yield trained_project
