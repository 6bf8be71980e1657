"""Trees that several tests build: a project folder in which the stages run as they do under DVC."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.stage_server import ServerProcess, StageServer

# Two workers share the cores: with more threads than cores, torch's wait for each other in circles.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# And stages start no processes of their own, unless a test is about them.
os.environ.setdefault("EXEMPLARS_WORKERS", "1")

# The same examples on every machine, and no clock: two cores under load are slow now and then.
settings.register_profile("stable", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("stable")

PROJECT = Path(__file__).parents[1]
SAMPLE = PROJECT / "tests/sample"
"""The tests' own project: four small sources and their parameters. No test depends on this project's own data."""
OWN_DATA = tuple(str(PROJECT / name) for name in ("data/", "dvc.lock", "models/", "reports/"))
"""What a fork of this project changes: only tests that are marked `workspace` or `benchmark` may open it."""
SLOW = (
    "tests/core/test_ray_cluster.py",
    "tests/project",
    "tests/publish/test_browser.py",
    "tests/cli/test_project_check.py",
    "tests/cli/test_rejections.py",
    "tests/cli/test_init.py",
    "tests/cli/test_prove.py",
    "tests/ingest/instruct/test_source.py",
    "tests/ingest/nlu/test_source.py",
    "tests/ingest/opencui/test_bots.py",
    "tests/ingest/chat/test_real_data.py",
    "tests/ingest/chat/test_large_file.py",
    "tests/export/test_gguf_model.py",
    "tests/export/test_merge.py",
    "tests/export/test_plots.py",
    "tests/export/test_round_trip.py",
    "tests/validate/test_pages.py",
    "tests/validate/test_checkpoint.py",
    "tests/validate/test_planted_rows.py",
    "tests/pipeline",
    "tests/train",
    "tests/evaluate/test_systems.py",
    "tests/cli/test_erase.py",
    "tests/cli/test_erased_raw_files.py",
    "tests/cli/test_erased_preferences.py",
    "tests/cli/test_erased_reviews.py",
    "tests/cli/test_erased_runs.py",
    "tests/cli/test_erased_texts.py",
    "tests/cli/test_export.py",
    "tests/cli/test_attest.py",
    "tests/cli/test_verify.py",
    "tests/publish/test_croissant.py",
    "tests/publish/test_page.py",
    "tests/cli/test_erase_interrupted.py",
    "tests/cli/test_hostile_data.py",
    "tests/models/test_chat_templates.py",
    "tests/models/test_thinking.py",
    "tests/models/tagger/test_predictor.py",
    "tests/render/test_control_tokens.py",
    "tests/cli/test_documented_examples.py",
    "tests/ingest/test_patterns.py",
    "tests/audit/test_revisions.py",
    "tests/answering",
    "tests/generation",
    "tests/review/test_decision_log.py",
    "tests/cli/test_call.py",
    "tests/cli/test_review.py",
    "tests/review/test_applied_edits.py",
    "tests/review/test_large_dataset.py",
    "tests/review/test_page.py",
    "tests/review/test_web.py",
    "tests/audit/verification/test_aligned_runs.py",
    "tests/audit/verification/test_tagger_runs.py",
    "tests/preferences/test_fold_models.py",
)
"""Tests of these take seconds each: real DVC, a trained model, a browser."""
SERVER_FOLDER = "EXEMPLARS_STAGE_SERVER"
"""The variable that names the folder of the server of stages."""
_running: list[pytest.Item] = []


def _refuse_own_data(event: str, arguments: tuple[object, ...]) -> None:
    """Fail the test that opens data of this project, as an audit hook of Python."""
    if event == "open" and _running and isinstance(arguments[0], str):
        path = os.path.abspath(arguments[0])
        marks = ("workspace", "benchmark")
        if path.startswith(OWN_DATA) and not any(map(_running[-1].get_closest_marker, marks)):
            raise AssertionError(f"the test opens {path}, which a fork may change; use tests/sample")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note which test runs."""
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


def pytest_configure(config: pytest.Config) -> None:
    """Watch what tests open; start the server of stages, which workers find by the environment."""
    sys.addaudithook(_refuse_own_data)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        server = ServerProcess()
        os.environ[SERVER_FOLDER] = str(server.folder)
        config.add_cleanup(server.stop)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make test-fast` leaves out, and run them first: a long module last leaves a core idle."""
    for item in items:
        if _is_slow(item):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: not _is_slow(item))


def _is_slow(item: pytest.Item) -> bool:
    path = item.path
    return path.is_relative_to(PROJECT) and path.relative_to(PROJECT).as_posix().startswith(SLOW)


class Workspace:
    """A folder with parameters and data of its own, in which stages run as processes."""

    def __init__(self, root: Path, python: Path) -> None:
        self.root = root
        self._server_python = python

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a file of the folder."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def run(self, *command: str, workers: int = 1) -> subprocess.CompletedProcess[str]:
        """Run a stage in the folder, as a process that the stage server forks; return what it printed."""
        return self._run([str(self._server_python), "-m", *command], workers)

    def run_code(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run Python code in a new interpreter; return what it printed."""
        return self._run([sys.executable, "-c", code], workers=1)

    def _run(self, command: list[str], workers: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "EXEMPLARS_WORKERS": str(workers)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def stage_server() -> StageServer:
    """A server that runs stages as forked processes, one for all workers of the tests."""
    return StageServer(Path(os.environ[SERVER_FOLDER]))


@pytest.fixture
def workspace(tmp_path: Path, stage_server: StageServer) -> Workspace:
    """An empty project: the recognizers and expectations of this one, no data, no parameters."""
    shutil.copytree(PROJECT / "schemas", tmp_path / "schemas")
    return Workspace(tmp_path, stage_server.python)
