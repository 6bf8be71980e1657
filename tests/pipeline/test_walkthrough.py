"""docs/compliance.md: every command in it is run, in its order, and prints what the page says.

It needs a reproduced workspace (`make repro`), and is run by `python -m pytest -m workspace`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from stages.curate.text_cache import CACHE
from tests.conftest import PROJECT
from tests.pipeline.conftest import Clone

PAGE = PROJECT / "docs/compliance.md"
KEY = "a key of the walkthrough"


class Step(NamedTuple):
    """A command of the page and what it prints; `…` stands for anything within a line, alone for any lines."""

    line: int
    command: str
    printed: tuple[str, ...]


def steps(text: str) -> Iterator[Step]:
    """Yield the commands of a page: lines that begin with `    $ `, with the indented lines after each."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("    $ "):
            printed = []
            for other in lines[number + 1 :]:
                if other.startswith("    $ ") or not (other.startswith("    ") or not other.strip()):
                    break
                printed.append(other[4:].rstrip())
            while printed and not printed[-1]:
                printed.pop()
            yield Step(number + 1, line[6:], tuple(printed))


def pattern(printed: tuple[str, ...]) -> str:
    """Build the pattern that the whole output must match."""
    parts = []
    for line in printed:
        if line == "…":
            parts.append(r"(?:.*\n)*")
        else:
            parts.append(re.escape(line).replace("…", ".*") + r"[ ]*\n")
    return "".join(parts)


@pytest.fixture
def workspace(tmp_path: Path) -> Clone:
    """A copy of this workspace with its cache: what the page erases stays here."""
    if not (PROJECT / "data/exemplars/exemplars.parquet").exists():
        pytest.skip("needs a reproduced workspace: make repro")
    clone = Clone(tmp_path / "project", data=None)
    shutil.copytree(PROJECT / ".dvc/cache/files", clone.root / ".dvc/cache/files")
    if (PROJECT / CACHE).exists():  # What `curate` knows of most texts, as in a workspace in use.
        (clone.root / CACHE).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / CACHE, clone.root / CACHE)
    assert clone.dvc("checkout").returncode == 0
    return clone


@pytest.mark.workspace
def test_every_command_of_the_walkthrough_prints_what_the_page_says(workspace: Clone) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    identity = {
        f"GIT_{who}_{what}": "t@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    known = {**os.environ, **identity, "PATH": path, "EXEMPLARS_ERASURE_KEY": KEY, "DVC_NO_ANALYTICS": "1"}
    wrong = []
    for step in steps(PAGE.read_text("utf-8")):
        done = subprocess.run(
            step.command,
            shell=True,
            cwd=workspace.root,
            env=known,
            capture_output=True,
            text=True,
            check=False,
        )
        printed = re.sub(r"^.*WARNING.*\n", "", done.stdout + done.stderr, flags=re.MULTILINE)
        if not re.fullmatch(
            pattern(step.printed), printed if printed.endswith("\n") or not printed else f"{printed}\n"
        ):
            wrong.append(f"docs/compliance.md:{step.line}: $ {step.command}\n{printed}")
    assert not wrong, "\n\n".join(wrong)


def test_a_page_is_taken_apart_into_commands_and_outputs() -> None:
    text = "a\n\n    $ one\n    1\n\n    2\n\nb\n\n    $ two\n    $ three\n    3 …\n"
    assert list(steps(text)) == [
        Step(3, "one", ("1", "", "2")),
        Step(10, "two", ()),
        Step(11, "three", ("3 …",)),
    ]
    assert re.fullmatch(pattern(("a…c", "…", "z")), "abc\nq\nr\nz\n")
    assert not re.fullmatch(pattern(("a",)), "b\n")
