from __future__ import annotations

import re
import subprocess

import pytest

from tests.style.check_style import PROJECT


def test_the_revision_of_the_hook_in_the_readme_exists_and_has_the_hook() -> None:
    if not (PROJECT / ".git").exists():
        pytest.skip("not a git repository")
    shallow = subprocess.run(
        ["git", "rev-parse", "--is-shallow-repository"], cwd=PROJECT, capture_output=True, text=True
    )
    if shallow.stdout.strip() == "true":
        pytest.skip("a shallow clone has no history")
    [revision] = re.findall(r"^ +rev: (\S+)$", (PROJECT / "README.md").read_text("utf-8"), re.MULTILINE)
    done = subprocess.run(
        ["git", "show", f"{revision}:.pre-commit-hooks.yaml"], cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "- id: exemplars-lint\n" in done.stdout
