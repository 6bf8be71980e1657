"""A project with the code of this one and the data of `tests/sample`, in which DVC runs for real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT, SAMPLE
from tests.sharing import build_once
from tests.stage_server import StageServer

CODE = (
    ".dvc/",
    ".dvcignore",
    ".gitignore",
    "dvc.yaml",
    "exemplars/",
    "pyproject.toml",
    "schemas/",
    "stages/",
)
"""What a project with other data has in common with this one."""


class Clone:
    """A git repository with the tracked code of this project and the sample as its data, never reproduced."""

    def __init__(self, root: Path, server: StageServer | None = None, data: Path | None = SAMPLE) -> None:
        """Open the repository, or make it: copy the files, and commit them.

        server: what runs DVC and the stages; `None`: a new Python for each. data: what is not code; `None`: as
        tracked here.
        """
        self.root = root
        self._server = server
        if not (root / ".git").exists():
            self._create(data)

    def _create(self, data: Path | None) -> None:
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
        for name in filter(None, names):
            if (PROJECT / name).is_file() and (data is None or name.startswith(CODE)):
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROJECT / name, self.root / name)
        if data is not None:
            shutil.copytree(data, self.root, dirs_exist_ok=True)
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "as cloned"]):
            self.git(*command)

    def git(self, *arguments: str) -> str:
        """Run git; return what it printed."""
        identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, capture_output=True, text=True, check=True
        )
        return done.stdout

    def dvc(
        self, *arguments: str, forked: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run DVC; return what it printed and its status.

        forked: DVC and the stages that it runs are forked by the stage server, if the clone has one.
        """
        folders, python = [str(Path(sys.executable).parent), os.environ["PATH"]], sys.executable
        if forked and self._server is not None:
            folders.insert(0, str(self._server.bin))
            python = str(self._server.python)
        return subprocess.run(
            [python, "-m", "dvc", *arguments],
            cwd=self.root,
            env={**os.environ, "PATH": os.pathsep.join(folders), "DVC_NO_ANALYTICS": "1", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def repro(self, **environment: str) -> str:
        """`dvc repro validate`, the data without a model, which must succeed; return what it printed."""
        done = self.dvc("repro", "validate", **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def restore(self) -> None:
        """Undo every change: what git knows from git, the outputs up to `validate` from DVC's cache."""
        self.git("checkout", "--", ".")
        done = self.dvc("checkout", "--force", "--with-deps", "validate")
        assert done.returncode == 0, done.stderr

    def json(self, *arguments: str) -> Any:
        """Return what a DVC command prints with `--json`."""
        done = self.dvc(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def stages_with_changed_code(self) -> set[str]:
        """List the stages whose code is not what `dvc.lock` says."""
        status = self.json("status")
        return {
            stage.partition("@")[0]
            for stage, changes in status.items()
            for change in changes
            if isinstance(change, dict)
            for path in change.get("changed deps", {})
            if path.startswith(("exemplars/", "stages/"))
        }

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace the only occurrence of a text in a file."""
        text = (self.root / path).read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {path}"
        (self.root / path).write_text(text.replace(old, new), "utf-8")

    def report(self, stage: str) -> Any:
        """Read the report of a stage."""
        return json.loads((self.root / f"reports/details/{stage}.json").read_bytes())

    def ran(self, printed: str) -> list[str]:
        """List the stages that DVC ran, in order, from what it printed."""
        return [line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage")]


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory, stage_server: StageServer) -> Path:
    """The sample after `dvc repro validate` with two workers, committed."""

    def build(root: Path) -> None:
        clone = Clone(root, stage_server)
        clone.repro(EXEMPLARS_WORKERS="2")
        clone.git("add", "-A")
        clone.git("commit", "-q", "-m", "as reproduced")

    return build_once(tmp_path_factory, "reproduced", build)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, stage_server: StageServer) -> Clone:
    return Clone(tmp_path_factory.mktemp("clone"), stage_server)
