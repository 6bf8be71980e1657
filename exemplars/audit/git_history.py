"""What git has: its history, the versions of files in it, and whether it has only a part of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from exemplars.core.errors import Diagnostic, UserError


class CommittedFile(NamedTuple):
    """A version of a file, and the commit that made it."""

    commit: str
    short: str
    """The commit as git abbreviates it."""
    path: str
    data: bytes


def read_history(root: Path, *arguments: str) -> str:
    """Run `git log` and return what it prints; empty if there is no commit, or no repository.

    Raises `UserError` in a shallow clone, whose history is not the history: the oldest commit that it has seems
    to have made everything, and what later commits removed is missing.
    """
    require_full_history(root)
    return run_git(root, "log", *arguments) or ""


def read_versions(root: Path, pattern: str) -> Iterator[CommittedFile]:
    """Read each version of the files that match a pattern, as git has them, newest first.

    Raises `UserError` in a shallow clone.
    """
    log = read_history(root, "--all", "--format=%x00%H %h", "--name-only", "--diff-filter=AM", "--", pattern)
    for entry in log.split("\0")[1:]:
        commits, *paths = [line for line in entry.splitlines() if line]
        commit, short = commits.split()
        for path in paths:
            if (data := run_git_bytes(root, "show", f"{commit}:{path}")) is not None:
                yield CommittedFile(commit, short, path, data)


def find_last_change(root: Path, path: str) -> str | None:
    """Find the last commit that changed a file; `None` if no commit did, or if a shallow clone may not have it."""
    if is_shallow(root):
        return None
    return (run_git(root, "log", "-1", "--format=%H", "--", path) or "").strip() or None


def is_shallow(root: Path) -> bool:
    """Return whether git has only a part of the history, as in the clones of most CI services."""
    return (run_git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"


def require_full_history(root: Path) -> None:
    """Raise `UserError` if git has only a part of the history."""
    if not is_shallow(root):
        return
    raise UserError(
        [
            Diagnostic(
                path="git",
                code="shallow_clone",
                found="a part of the history",
                expected="all of it",
                summary="this clone is shallow, so that commits are missing",
                fix="run `git fetch --unshallow` (in GitHub Actions: `fetch-depth: 0`)",
            )
        ]
    )


def run_git(root: Path, *arguments: str) -> str | None:
    """Run a git command and return what it prints; `None` if it fails or git is not installed."""
    data = run_git_bytes(root, *arguments)
    return None if data is None else data.decode("utf-8", "replace")


def run_git_bytes(root: Path, *arguments: str) -> bytes | None:
    """Run a git command and return the bytes that it prints; `None` if it fails or git is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
