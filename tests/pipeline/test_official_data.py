"""How docs/sgd.md gets the official release: `dvc import` from a git repository of its layout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.conftest import SAMPLE
from tests.pipeline.conftest import Clone


def release(root: Path) -> str:
    """A git repository with the layout of the release: README, train, dev, test; return its revision."""
    root.mkdir()
    (root / "README.md").write_text("the release\n", "utf-8")
    for split in ("train", "dev", "test"):
        shutil.copytree(SAMPLE / "data/raw/sgd" / split, root / split)
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "release"]):
        subprocess.run([*git, *command], cwd=root, check=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_one_pinned_import_and_two_parameters_switch_to_the_release(clone: Clone, tmp_path: Path) -> None:
    revision = release(tmp_path / "release")
    done = clone.dvc(
        "import", str(tmp_path / "release"), ".", "--rev", revision, "-o", "data/raw/sgd-official"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert revision in (clone.root / "data/raw/sgd-official.dvc").read_text("utf-8")
    clone.edit("params.yaml", "path: data/raw/sgd\n", "path: data/raw/sgd-official\n")
    clone.edit("params.yaml", "sources: [bots, labelled, sgd, skills]", "sources: [sgd]")
    clone.repro()
    report = clone.report("compile")
    assert report["records_by_source"] == {"sgd": 47}
    assert report["records"] == report["exemplars"] + report["rejections"]
