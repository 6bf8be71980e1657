"""The workflow that `exemplars init` writes: each of its steps is run, in a shallow clone without a DVC remote."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from exemplars.cli.main import main
from tests.conftest import PROJECT
from tests.stage_server import StageServer

EXAMPLES = """\
### User: {phrase} {number} please
### Assistant: book_room(nights={number})

"""
SKILL = """\
#### Prompt:
book_room(nights=[how many nights])
Books a room.

#### Parameters:
nights: integer, required

#### Examples:
"""
PHRASES = ("a room for", "I would like to stay", "book me in for", "can we have a bed for")


class Runner:
    """What GitHub's runner does with a workflow: one shell for each step that its conditions admit."""

    def __init__(self, folder: Path, origin: Path, base: str, server: StageServer) -> None:
        self.temporary = folder
        self.checkout = folder / "checkout"
        self.run("git", "clone", "-q", "--depth", "1", f"file://{origin}", str(self.checkout), cwd=folder)
        programs = folder / "bin"
        programs.mkdir()
        for name, text in (
            ("exemplars", f'exec {server.python} -m exemplars.cli.main "$@"'),
            ("dvc", f'exec {server.python} -m dvc "$@"'),
            ("pip", 'echo "$@" > "$RUNNER_TEMP/installed"'),
            ("gh", 'echo "$@" > "$RUNNER_TEMP/comment"'),
        ):
            (programs / name).write_text(f"#!/bin/sh\n{text}\n")
            (programs / name).chmod(0o755)
        path = os.pathsep.join([str(programs), str(server.bin), os.environ["PATH"]])
        self.values = {
            "github.event.pull_request.base.sha": base,
            "github.event.pull_request.html_url": "https://example.org/hotel/pull/1",
            "github.token": "a token",
        }
        self.environment = {
            **os.environ,
            "PATH": path,
            "PYTHONPATH": str(PROJECT),
            "RUNNER_TEMP": str(folder),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        }

    def run(self, *command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=cwd,
            env={**getattr(self, "environment", os.environ), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def run_job(self, job: dict[str, Any]) -> dict[str, subprocess.CompletedProcess[str]]:
        """Run the steps of a job on a pull request from a branch, until one fails; return what each did."""
        done: dict[str, subprocess.CompletedProcess[str]] = {}
        for step in job["steps"]:
            if "run" not in step:
                assert step["uses"] in ("actions/checkout@v4", "actions/setup-python@v5")
                continue
            environment = {
                name: self.expand(value)
                for name, value in {**job.get("env", {}), **step.get("env", {})}.items()
            }
            script = self.temporary / "step.sh"
            script.write_text(step["run"])
            shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail", str(script))
            done[step["name"]] = self.run(*shell, cwd=self.checkout, **environment)
            if done[step["name"]].returncode != 0:
                break
        return done

    def expand(self, text: str) -> str:
        for name, value in self.values.items():
            text = text.replace(f"${{{{ {name} }}}}", value)
        assert "${{" not in text
        return text


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, stage_server: StageServer) -> Path:
    """A project with two commits, each with the data of its `dvc.lock`: the second has one more example."""
    root = tmp_path_factory.mktemp("origin")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(root)
        assert main(["init", "hotel", "--skills", "book_room"]) == 0
    project = root / "hotel"
    [skill] = (project / "data/raw/hotel").glob("book_room.md")
    pairs = [EXAMPLES.format(phrase=phrase, number=number) for phrase in PHRASES for number in range(1, 10)]
    for count in (len(pairs) - 1, len(pairs)):
        skill.write_text(SKILL + "".join(pairs[:count]))
        path = os.pathsep.join([str(stage_server.bin), os.environ["PATH"]])
        done = subprocess.run(
            [stage_server.python, "-m", "dvc", "repro", "validate"],
            cwd=project,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(PROJECT), "DVC_NO_ANALYTICS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        git(project, "add", "-A")
        git(project, "commit", "-q", "-m", f"{count} examples")
    git(project, "config", "uploadpack.allowReachableSHA1InWant", "true")  # As GitHub has it.
    return project


def test_every_step_passes_in_a_shallow_clone_without_a_dvc_remote(
    origin: Path, tmp_path: Path, stage_server: StageServer
) -> None:
    runner = Runner(tmp_path, origin, git(origin, "rev-parse", "HEAD~1"), stage_server)
    assert git(runner.checkout, "rev-parse", "--is-shallow-repository") == "true"
    workflow = yaml.safe_load((runner.checkout / ".github/workflows/ci.yml").read_bytes())
    [job] = workflow["jobs"].values()
    done = runner.run_job(job)
    failed = {name: step.stdout + step.stderr for name, step in done.items() if step.returncode}
    assert failed == {}
    assert len(done) == sum("run" in step for step in job["steps"])
    assert (tmp_path / "installed").read_text().startswith("install exemplars==")
    assert done["Hashes and row counts"].stdout.endswith("no problems\n")
    assert (tmp_path / "comment").read_text().startswith("pr comment https://example.org/hotel/pull/1 ")
    rows = (tmp_path / "rows.md").read_text()
    assert "can we have a bed for 9 please" in rows
    assert (tmp_path / "summary.md").read_text() == rows
    assert git(runner.checkout, "status", "--porcelain") == ""


def test_data_that_was_not_committed_stops_the_workflow(
    origin: Path, tmp_path: Path, stage_server: StageServer
) -> None:
    runner = Runner(tmp_path, origin, "0" * 40, stage_server)
    lock = runner.checkout / "dvc.lock"
    lock.write_text(lock.read_text().replace("md5: ", "md5: 0", 1))
    [job] = yaml.safe_load((runner.checkout / ".github/workflows/ci.yml").read_bytes())["jobs"].values()
    name = "What was compiled is what was committed"
    [step] = [step for step in job["steps"] if step.get("name") == name]
    done = runner.run_job({"steps": [step]})[name]
    assert done.returncode == 1
    assert "::error file=dvc.lock::not the data of this commit" in done.stdout
