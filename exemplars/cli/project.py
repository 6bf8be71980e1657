"""The project that a command works on: the nearest folder upwards with `.dvc`, as git and DVC find theirs."""

from __future__ import annotations

import os
from pathlib import Path

from exemplars.core.errors import Diagnostic, UserError


def find_project(folder: Path) -> Path | None:
    """Find the root of the DVC project that a folder is in; `None` if it is in no project."""
    folder = folder.resolve()
    return next((root for root in (folder, *folder.parents) if (root / ".dvc").is_dir()), None)


def require_project(folder: Path) -> Path:
    """Find the root of the DVC project that a folder is in. Raises `UserError` if it is in no project."""
    root = find_project(folder)
    if root is None:
        raise UserError(
            [
                Diagnostic(
                    path=folder.resolve().name,
                    code="no_project",
                    found="no folder .dvc here or above",
                    expected="a folder in a DVC project",
                    fix="change to the folder with dvc.yaml, then run the command again",
                )
            ]
        )
    return root


def parse_path(text: str) -> Path:
    """Parse a path that a person gave: relative to the current folder before, to the project's root after.

    Commands run in the project's root, wherever they are called.
    """
    return Path(make_root_relative(text))


def make_root_relative(text: str) -> str:
    """Make a path of the current folder relative to the project's root; unchanged if it is absolute."""
    folder = Path.cwd()
    root = find_project(folder)
    if root is None or root == folder.resolve() or Path(text).is_absolute():
        return text
    return os.path.relpath(folder.resolve() / text, root)


def parse_target(text: str) -> str:
    """Parse `FILE`, `FILE:LINE` or `FILE#POINTER`, as `parse_path` does; unchanged if there is no such file.

    Any part before a `:` or `#` may be the file, because names of files may have both.
    """
    ends = [index for index, letter in enumerate(text) if letter in ":#"]
    for end in (len(text), *reversed(ends)):
        if end and len(os.fsencode(text[:end])) < 4096 and "\0" not in text and os.path.exists(text[:end]):
            return make_root_relative(text[:end]) + text[end:]
    return text
