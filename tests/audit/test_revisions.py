from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from exemplars.audit.dvc_cache import find_cache_folder, locate_object
from exemplars.audit.git_history import find_last_change, read_versions
from exemplars.core.errors import UserError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, a home folder next to it, and no configuration of this machine."""
    for variable in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "system"))
    write_config(tmp_path / "project/.dvc/config", "[core]\n    analytics = false\n")
    return tmp_path / "project"


def write_config(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def ask_dvc(root: Path) -> Path:
    """The cache folder by DVC itself."""
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    command = [sys.executable, "-m", "dvc", "cache", "dir"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return (root / done.stdout.strip()).resolve()


def test_the_cache_is_in_the_project_by_default(root: Path) -> None:
    assert find_cache_folder(root) == root / ".dvc/cache" == ask_dvc(root)
    assert locate_object(root, "ab" + "0" * 30) == root / ".dvc/cache/files/md5/ab" / ("0" * 30)


@pytest.mark.parametrize(
    ("place", "config"),
    [
        ("home/.config/dvc/config", "[cache]\n    dir = {folder}\n"),
        ("home/.config/dvc/config", "[cache]\n    dir = ../../../shared\n"),
        ("home/.config/dvc/config", "[cache]\n    dir = ~/../shared\n"),
        ("system/dvc/config", "[cache]\n    dir = {folder}\n"),
        ("project/.dvc/config", "[cache]\n    dir = ../../shared\n"),
        ("project/.dvc/config.local", "[cache]\n    dir = ../../shared\n"),
    ],
)
def test_the_cache_may_be_configured_at_every_level(root: Path, place: str, config: str) -> None:
    folder = root.parent / "shared"
    write_config(root.parent / place, config.format(folder=folder))
    assert find_cache_folder(root).resolve() == folder.resolve() == ask_dvc(root)


def test_the_global_configuration_is_found_by_xdg(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(root.parent / "xdg"))
    write_config(root.parent / "xdg/dvc/config", f"[cache]\n    dir = {root.parent / 'shared'}\n")
    assert find_cache_folder(root) == root.parent / "shared"


def test_the_local_level_overrides_the_others(root: Path) -> None:
    write_config(root.parent / "home/.config/dvc/config", "[cache]\n    dir = /tmp/global\n")
    write_config(root / ".dvc/config.local", "[cache]\n    dir = ../../mine\n")
    assert find_cache_folder(root) == root.parent / "mine"


def test_a_remote_may_serve_as_the_cache(root: Path) -> None:
    remote = f"[cache]\n    local = shared\n['remote \"shared\"']\n    url = {root.parent / 'shared'}\n"
    write_config(root / ".dvc/config", remote)
    assert find_cache_folder(root) == root.parent / "shared"


def test_a_damaged_configuration_is_one_sentence(root: Path) -> None:
    write_config(root / ".dvc/config", "[cache\n")
    with pytest.raises(
        UserError, match=r"^\.dvc/config: unreadable_config: found config file error: "
    ) as caught:
        find_cache_folder(root)
    assert len(str(caught.value).splitlines()) == 1


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository in which three commits changed two files: `a`, `b`, `a`."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for number, name in enumerate("aba"):
        (root / name).write_text(f"{number}\n")
        git(root, "add", "-A")
        git(root, "-c", "user.name=K", "-c", "user.email=k@example.org", "commit", "-q", "-m", str(number))
    return root


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_all_versions_of_a_file_are_read_from_the_history_newest_first(repository: Path) -> None:
    versions = list(read_versions(repository, "a"))
    commits = git(repository, "rev-list", "HEAD").split()
    assert [(version.commit, version.data) for version in versions] == [
        (commits[0], b"2\n"),
        (commits[2], b"0\n"),
    ]
    assert all(
        commit.startswith(version.short) for commit, version in zip(commits[::2], versions, strict=True)
    )


def test_the_last_change_of_a_file_is_not_guessed_in_a_shallow_clone(repository: Path) -> None:
    clone = repository.parent / "clone"
    git(repository, "clone", "-q", "--depth", "2", f"file://{repository}", str(clone))
    assert find_last_change(repository, "b") == git(repository, "rev-parse", "HEAD~1")
    assert find_last_change(repository, "c") is None
    assert find_last_change(clone, "b") is None
    with pytest.raises(UserError, match="shallow_clone: this clone is shallow"):
        list(read_versions(clone, "a"))
