"""What a killed DVC leaves: a part of `dvc.lock`, a part of its rwlock, and locks of processes that are no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from exemplars.audit.recovery import read_stage_names, recover_project
from exemplars.core.code_version import LOCK_COPY, keep_lock_copy
from exemplars.core.errors import UserError

LOCK = b"""\
schema: '2.0'
stages:
  ingest@bots:
    cmd: python -m stages.ingest ingest@bots
    deps:
    - path: data/raw/bots
      hash: md5
      md5: c3ab4a34a0cb3a8d1a9c0e5d4e4a0a11.dir
      size: 5
      nfiles: 1
    outs:
    - path: data/records/bots.parquet
      hash: md5
      md5: 0cc175b9c0f1b6a831c399e269772661
      size: 1
  compile:
    cmd: python -m stages.compile
    outs:
    - path: data/exemplars
      hash: md5
      md5: 92eb5ffee6ae2fec3ad71c777531578f.dir
      size: 1
      nfiles: 1
  curate:
    cmd: python -m stages.curate
    outs:
    - path: data/curated
      hash: md5
      md5: 4a8a08f09d37b73795649038408b5f33.dir
      size: 1
      nfiles: 1
"""
PIPELINE = "stages:\n  ingest: {}\n  compile: {}\n  curate: {}\n"
CUTS = [LOCK.index(name) for name in (b"  compile:", b"  curate:")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a copy of its lock."""
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "dvc.lock").write_bytes(LOCK)
    assert recover_project(tmp_path) == []
    assert (tmp_path / LOCK_COPY).read_bytes() == LOCK
    return tmp_path


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True)


def commit(root: Path) -> None:
    git(root, "init", "-q")
    git(root, "add", "dvc.lock")
    git(root, "-c", "user.name=K", "-c", "user.email=k@example.org", "commit", "-q", "-m", "lock")


def test_a_complete_lock_lists_its_stages() -> None:
    assert read_stage_names(LOCK) == ["ingest@bots", "compile", "curate"]


@pytest.mark.parametrize("length", [*range(0, len(LOCK) - 1, 13), *CUTS, len(LOCK) - 1])
def test_a_lock_that_was_cut_off_anywhere_is_restored_or_has_all_complete_stages(
    root: Path, length: int
) -> None:
    (root / "dvc.lock").write_bytes(LOCK[:length])
    done = recover_project(root)
    after = (root / "dvc.lock").read_bytes()
    if done:
        assert (done, after) == (["dvc.lock was cut off: restored from the copy of the last stage"], LOCK)
    else:  # Cut between two lines of the last stage: DVC runs that stage again.
        assert length > CUTS[1]
        assert (after, read_stage_names(after)) == (LOCK[:length], ["ingest@bots", "compile", "curate"])


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"schema: '2.0'\n",
        b"schema: '2.0'\nstages:\n",
        b"schema: '2.0'\nstages:\n  compile:\n",
        b"schema: '2.0'\nstages:\n  compile:\n    cmd: x\n",
        b"schema: '2.0'\nstages:\n  compile:\n    cmd: x\n    outs:\n    - path\n",
        b"\xff\n",
        b"a: [\n",
    ],
)
def test_a_lock_that_is_none_is_restored(root: Path, data: bytes) -> None:
    (root / "dvc.lock").write_bytes(data)
    assert recover_project(root) == ["dvc.lock was cut off: restored from the copy of the last stage"]
    assert (root / "dvc.lock").read_bytes() == LOCK


def test_without_a_copy_the_lock_comes_from_git(root: Path) -> None:
    commit(root)
    (root / LOCK_COPY).unlink()
    for length in (0, 40, *CUTS):
        (root / "dvc.lock").write_bytes(LOCK[:length])
        assert recover_project(root) == ["dvc.lock was cut off: restored from git"]
        assert (root / "dvc.lock").read_bytes() == LOCK
        (root / LOCK_COPY).unlink(missing_ok=True)


def test_without_any_copy_the_lock_is_removed(root: Path) -> None:
    (root / LOCK_COPY).unlink()
    (root / "dvc.lock").write_bytes(b"")
    assert recover_project(root) == [
        "dvc.lock was cut off, and there is no copy: removed, so that all stages run again"
    ]
    assert not (root / "dvc.lock").exists()
    assert recover_project(root) == []


def test_a_shorter_lock_that_git_has_is_left_alone(root: Path) -> None:
    (root / "dvc.lock").write_bytes(LOCK[: CUTS[1]])
    commit(root)
    assert recover_project(root) == []
    assert (root / LOCK_COPY).read_bytes() == LOCK[: CUTS[1]]


def test_a_lock_without_a_stage_that_was_removed_from_the_pipeline_is_left_alone(root: Path) -> None:
    (root / "dvc.yaml").write_text("stages:\n  ingest: {}\n  compile: {}\n")
    (root / "dvc.lock").write_bytes(LOCK[: CUTS[1]])
    assert recover_project(root) == []


@pytest.mark.parametrize("data", [b"", b"{", b'{"read": {"a"', b"[]", b'{"write": {"a": 1}}'])
def test_a_damaged_rwlock_is_removed(root: Path, data: bytes) -> None:
    path = root / ".dvc/tmp/rwlock"
    path.write_bytes(data)
    assert recover_project(root) == [".dvc/tmp/rwlock was cut off: removed"]
    assert not path.exists()


def write_rwlock(root: Path, pid: int) -> Path:
    path = root / ".dvc/tmp/rwlock"
    holder = {"pid": pid, "cmd": "dvc repro"}
    path.write_text(json.dumps({"write": {"data/a": holder}, "read": {"data/b": [holder]}}))
    return path


def test_locks_of_processes_that_are_no_more_are_removed(root: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    path = write_rwlock(root, child.pid)
    assert recover_project(root) == [".dvc/tmp/rwlock named processes that were killed: removed"]
    assert not path.exists()


def test_a_killed_process_that_nobody_waits_for_holds_no_lock(root: Path) -> None:
    child = subprocess.Popen(["sleep", "60"])
    path = write_rwlock(root, child.pid)
    child.kill()
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert recover_project(root) == [".dvc/tmp/rwlock named processes that were killed: removed"]
    assert not path.exists()
    child.wait()


def test_a_process_that_got_the_number_of_a_killed_one_holds_no_lock(root: Path) -> None:
    path = write_rwlock(root, os.getpid())
    before = psutil.Process().create_time() - 60
    os.utime(path, (before, before))
    assert recover_project(root) == [".dvc/tmp/rwlock named processes that were killed: removed"]


def test_nothing_is_changed_while_dvc_runs(root: Path) -> None:
    path = write_rwlock(root, os.getpid())
    (root / "dvc.lock").write_bytes(b"")
    with pytest.raises(
        UserError, match=r"busy: `dvc repro` \(process \d+\) is running; wait for it to finish"
    ):
        recover_project(root)
    assert (path.exists(), (root / "dvc.lock").read_bytes()) == (True, b"")


def test_an_rwlock_without_holders_is_left_alone(root: Path) -> None:
    (root / ".dvc/tmp/rwlock").write_text("{}")
    assert recover_project(root) == []


def test_a_stage_that_dvc_runs_keeps_a_copy_of_a_complete_lock(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    (root / LOCK_COPY).unlink()
    keep_lock_copy()
    assert not (root / LOCK_COPY).exists()
    monkeypatch.setenv("DVC_STAGE", "compile")
    keep_lock_copy()
    assert (root / LOCK_COPY).read_bytes() == LOCK
    (root / "dvc.lock").write_bytes(LOCK[:-1])
    keep_lock_copy()
    assert (root / LOCK_COPY).read_bytes() == LOCK


def test_what_dvc_was_linking_when_it_was_killed_is_removed(tmp_path: Path) -> None:
    names = ("data/curated/.qlmKWTD8B8VIylInwD64pA.tmp", "models/lora/weights.qlmKWTD8B8VIylInwD64-_.tmp")
    others = ("data/raw/notes.tmp", "data/curated/.short.tmp", "data/curated/pairs.parquet")
    for name in (*names, *others):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    assert recover_project(tmp_path) == [f"{name}: a temporary file of DVC, removed" for name in names]
    assert [(tmp_path / name).exists() for name in (*names, *others)] == [False, False, True, True, True]
    assert recover_project(tmp_path) == []
