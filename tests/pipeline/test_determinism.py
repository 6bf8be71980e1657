"""The same rows give the same bytes, whatever the machine does."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.conftest import PROJECT

# Lists every folder backwards, as another file system might.
BACKWARDS = """
import os, pathlib
listed, walked = os.listdir, os.scandir
os.listdir = lambda *path: sorted(listed(*path), reverse=True)
class Backwards:
    def __init__(self, *path):
        with walked(*path) as entries:
            self.entries = iter(sorted(entries, key=lambda entry: entry.name, reverse=True))
    def __iter__(self): return self.entries
    def __next__(self): return next(self.entries)
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def close(self): pass
os.scandir = Backwards
"""
COMMANDS = (
    ("stages.ingest", "bots"),
    ("stages.ingest", "labelled"),
    ("stages.ingest", "sgd"),
    ("stages.ingest", "skills"),
    ("stages.compile",),
    ("stages.curate",),
    ("stages.split",),
    ("stages.validate",),
    ("stages.publish",),
    ("stages.render",),
)


def outputs(root: Path, **environment: str) -> dict[str, str]:
    """Run the whole pipeline on the default data; answer the hash of every file that it writes."""
    shutil.copytree(PROJECT / "data/raw", root / "data/raw")
    shutil.copytree(PROJECT / "schemas", root / "schemas")
    shutil.copy(PROJECT / "params.yaml", root)
    shutil.copy(PROJECT / "dvc.yaml", root)
    (root / "site").mkdir()
    (root / "site/sitecustomize.py").write_text(BACKWARDS if environment.pop("backwards", "") else "")
    for command in COMMANDS:
        path = os.pathsep.join([str(root / "site"), str(PROJECT)])
        subprocess.run(
            [sys.executable, "-m", *command],
            cwd=root,
            env={**os.environ, "PYTHONPATH": path, **environment},
            capture_output=True,
            check=True,
        )
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).parts[:2] not in {("data", "raw"), ("site", "sitecustomize.py")}
    }  # fmt: skip


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("expected")
    return outputs(root, EXEMPLARS_WORKERS="1", PYTHONHASHSEED="1")


def test_the_pipeline_writes_its_files(expected: dict[str, str]) -> None:
    assert "data/exemplars/exemplars.parquet" in expected
    assert "reports/split.json" in expected
    assert sum(name.startswith("reports/data_docs/") for name in expected) > 4


def test_every_file_is_the_same_whatever_the_machine_does(expected: dict[str, str], tmp_path: Path) -> None:
    other = {"EXEMPLARS_WORKERS": "2", "backwards": "yes", "TZ": "Pacific/Auckland", "LC_ALL": "C"}
    assert outputs(tmp_path, PYTHONHASHSEED="2", **other) == expected
