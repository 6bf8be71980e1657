"""A project with trained models, for each test a copy of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def project(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the module's `trained`, which is the working folder."""
    monkeypatch.chdir(shutil.copytree(trained, tmp_path / "project"))
    return tmp_path / "project"
