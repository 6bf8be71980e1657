"""A folder is replaced as a whole: whatever happens, its readers see the old one or the new one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exemplars.core import folders
from exemplars.core.folders import replace_folder
from tests.benchmarks.kills import Moment, run_forked

OLD = {"config.json": "old", "weights/a": "old"}
NEW = {"config.json": "new", "weights/b": "new"}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def read(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def replace(files: dict[str, str]) -> None:
    with replace_folder(Path("merged")) as partial:
        write(partial, files)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.mark.parametrize("in_steps", [False, True])
def test_the_new_folder_takes_the_place_of_the_old_one(
    project: Path, in_steps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_steps:
        monkeypatch.setattr(folders, "_exchange", folders._exchange_in_steps)
    replace(OLD)
    replace(NEW)
    assert read(Path("merged")) == NEW
    assert os.listdir() == ["merged"]


def test_a_link_to_a_folder_stays_a_link(project: Path) -> None:
    write(Path("elsewhere"), OLD)
    Path("merged").symlink_to("elsewhere")
    replace(NEW)
    assert (Path("merged").is_symlink(), read(Path("elsewhere"))) == (True, NEW)
    assert sorted(os.listdir()) == ["elsewhere", "merged"]


def test_after_an_error_the_old_folder_is_what_it_was(project: Path) -> None:
    replace(OLD)
    with pytest.raises(OSError, match="full"), replace_folder(Path("merged")) as partial:
        write(partial, {"config.json": "new"})
        raise OSError("full")
    assert read(Path("merged")) == OLD
    assert os.listdir() == ["merged"]


def test_killed_at_any_change_it_leaves_the_old_folder_or_the_new_one(project: Path) -> None:
    replace(OLD)
    seen = []
    for change in range(100):
        status = run_forked(lambda: replace(NEW), project, Moment(change=change))
        seen.append(read(Path("merged")))
        replace(OLD)
        assert read(Path("merged")) == OLD
        assert os.listdir() == ["merged"]
        if status == 0:
            break
    assert 5 < len(seen) < 100
    assert all(files in (OLD, NEW) for files in seen)
    assert (seen[0], seen[-1]) == (OLD, NEW)


def test_a_folder_that_another_process_is_writing_is_left_alone(project: Path) -> None:
    code = """
import sys
from pathlib import Path
from exemplars.core.folders import replace_folder
with replace_folder(Path("merged")) as partial:
    print(partial, flush=True)
    sys.stdin.read()
    (partial / "config.json").write_text("theirs")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    theirs = Path(process.stdout.readline().strip())
    replace(NEW)
    assert theirs.exists()
    process.stdin.close()
    assert process.wait() == 0
    assert read(Path("merged")) == {"config.json": "theirs"}
    assert os.listdir() == ["merged"]
