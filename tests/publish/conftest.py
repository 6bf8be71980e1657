"""The facts that most tests of documents start from."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from stages.publish.facts import ReleaseFacts
from tests.publish.tree import read_facts, write_tree


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a public source and a source without a statement; tests do not write into it."""
    root = tmp_path_factory.mktemp("tree")
    write_tree(root, {"forum": "CC-BY-SA-4.0", "notes": "MIT OR LicenseRef-notes"})
    return root


@pytest.fixture(scope="session")
def facts(tree: Path) -> ReleaseFacts:
    """The facts of `tree`."""
    with contextlib.chdir(tree):
        return read_facts()


@pytest.fixture
def project(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `tree`, as the current folder."""
    root = tmp_path / "project"
    shutil.copytree(tree, root)
    monkeypatch.chdir(root)
    return root
