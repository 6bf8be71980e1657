"""Who decides: the name that goes with a decision."""

from __future__ import annotations

import getpass
import subprocess

from exemplars.core.errors import Diagnostic, UserError


def find_person(name: str | None, command: str, role: str) -> str:
    """Return a name that was given, or else git's user.name, or else the login.

    command: that asks, such as `exemplars review`. role: what the person is there, and the option for the name.
    Raises `UserError` if the name is blank, or nobody knows it.
    """
    found = name if name is not None else _read_git_name() or _read_login()
    if not found.strip():
        problem = Diagnostic(
            path=command,
            code=f"no_{role}",
            found=f"no name of a {role}",
            expected="who decides",
            fix=f"add --{role} NAME",
        )
        raise UserError([problem])
    return found.strip()


def _read_git_name() -> str:
    try:
        command = ["git", "config", "user.name"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _read_login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
