"""The same rows give the same bytes, whatever the machine does."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.small_project import build_small_project
from tests.conftest import PROJECT

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
    "stages.compile",
    "stages.curate",
    "stages.split",
    "stages.validate",
    "stages.render",
)
OTHER = {
    "EXEMPLARS_WORKERS": "2",
    "TZ": "Pacific/Auckland",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "2",
}


RUN_ALL = """
import runpy, sys
for command in sys.argv[1:]:
    sys.argv = command.split()
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as done:
        if done.code:
            raise
"""


def run_stages(root: Path, *commands: str, **environment: str) -> None:
    """Run stages in a new Python, one after the other; it lists folders as the file `sitecustomize.py` says."""
    path = os.pathsep.join([str(root / "site"), str(PROJECT)])
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, *commands],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def hash_as_dvc(path: Path) -> str:
    """The MD5 that DVC gives a file, or a folder."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = sorted(file for file in path.rglob("*") if file.is_file())
    entries = [{"md5": hash_as_dvc(file), "relpath": file.relative_to(path).as_posix()} for file in files]
    entries.sort(key=lambda entry: entry["relpath"])
    return hashlib.md5(json.dumps(entries).encode()).hexdigest() + ".dir"


def list_commands(project: Path) -> list[str]:
    """List the commands of all stages up to `render`."""
    sources = yaml.safe_load((project / "params.yaml").read_bytes())["ingest"]["sources"]
    return [*(f"stages.ingest {name}" for name in sources), *COMMANDS]


def run_elsewhere(project: Path, root: Path) -> Path:
    """Run all stages up to `render` on the data of a project, in an environment like no other."""
    for name in ("data/raw", "schemas"):
        shutil.copytree(project / name, root / name)
    if (project / "base").exists():
        shutil.copytree(project / "base", root / "base")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(project / name, root)
    (root / "site").mkdir()
    (root / "site/sitecustomize.py").write_text(BACKWARDS)
    run_stages(root, *list_commands(project), **OTHER)
    return root


def assert_outputs_are_locked(root: Path, project: Path) -> None:
    """Compare the outputs in `root` with the hashes in the project's `dvc.lock`."""
    stages = yaml.safe_load((project / "dvc.lock").read_bytes())["stages"]
    names = {command.removeprefix("stages.").replace(" ", "@") for command in list_commands(project)}
    locked = {out["path"]: out["md5"] for name in names for out in stages[name]["outs"]}
    assert {path: hash_as_dvc(root / path) for path in locked} == locked
    assert {"data/exemplars/exemplars.parquet", "data/splits/train.parquet", "reports/data_docs"} <= set(
        locked
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as the stages made it, in an environment like any other."""
    return build_small_project(tmp_path_factory)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, small: Path) -> Path:
    return run_elsewhere(small, tmp_path_factory.mktemp("other"))


def test_every_output_is_that_of_the_lock_file_whatever_the_machine_does(root: Path, small: Path) -> None:
    assert_outputs_are_locked(root, small)


@pytest.mark.workspace
def test_every_output_of_the_default_data_is_that_of_the_lock_file(tmp_path: Path) -> None:
    assert_outputs_are_locked(run_elsewhere(PROJECT, tmp_path / "other"), PROJECT)


def test_documents_are_the_same_whatever_the_machine_does(root: Path, tmp_path: Path) -> None:
    plain = shutil.copytree(root, tmp_path / "plain")
    (plain / "site/sitecustomize.py").write_text("")
    run_stages(root, "stages.publish", **OTHER)
    run_stages(plain, "stages.publish", PYTHONHASHSEED="1")
    documents = [path for path in sorted((root / "reports").rglob("*")) if path.is_file()]
    assert root / "reports/dataset.html" in documents
    for document in documents:
        assert document.read_bytes() == (plain / document.relative_to(root)).read_bytes(), document
