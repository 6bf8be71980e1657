"""Who decides: the name that goes with a decision."""

from __future__ import annotations

import getpass
from pathlib import Path

from exemplars.core.errors import Diagnostic, UserError


def find_person(name: str | None, option: str) -> str:
    """Return a name that was given, or else git's user.name, or else the login.

    option: that gives the name. Raises `UserError` if it is blank, or if nobody knows it.
    """
    found = name if name is not None else _read_git_name() or _read_login()
    if not found.strip():
        fix = f"add {option} NAME"
        raise UserError(
            [Diagnostic(path=option, code="no_name", found="no name", expected="who decides", fix=fix)]
        )
    return found.strip()


def _read_git_name() -> str:
    from exemplars.audit.git_history import run_git

    return (run_git(Path(), "config", "user.name") or "").strip()


def _read_login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
