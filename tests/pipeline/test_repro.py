"""The user's day: reproduce, edit, compare. The tests build on each other's state, in their order."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from exemplars.core.reports import MAX_METRICS
from tests.cli.small_project import build_small_project
from tests.pipeline.conftest import Clone
from tests.stage_server import StageServer

EXAMPLE = """
### User: could you ring the harbour master for me
### Assistant: call(contact="the harbour master")
"""


@pytest.fixture(scope="module")
def clone(reproduced: Path, tmp_path_factory: pytest.TempPathFactory, stage_server: StageServer) -> Clone:
    """A clone by git of the sample after `dvc repro`: with its lock file, without its outputs."""
    root = tmp_path_factory.mktemp("second") / "clone"
    subprocess.run(["git", "clone", "-q", reproduced, root], check=True)
    return Clone(root, stage_server)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, stage_server: StageServer) -> Clone:
    """A project in which all stages ran, up to `publish`."""
    root = tmp_path_factory.mktemp("trained") / "clone"
    return Clone(shutil.copytree(build_small_project(tmp_path_factory), root), stage_server)


def test_a_second_clone_with_one_worker_gives_the_bytes_of_the_lock_file(
    clone: Clone, reproduced: Path
) -> None:
    printed = clone.repro(EXEMPLARS_WORKERS="1")
    assert clone.ran(printed) == [
        "ingest@bots",
        "ingest@labelled",
        "ingest@sgd",
        "ingest@skills",
        "compile",
        "curate",
        "split",
        "validate",
    ]
    assert (clone.root / "dvc.lock").read_text("utf-8") == (reproduced / "dvc.lock").read_text("utf-8")
    assert clone.git("status", "--short") == ""


def test_nothing_runs_again_without_a_change(clone: Clone) -> None:
    assert "Data and pipelines are up to date." in clone.repro()
    assert clone.json("status", "--with-deps", "validate") == {}


def test_metrics_are_at_most_twelve_figures_a_stage(clone: Clone) -> None:
    stages = ("ingest/", "compile", "curate", "split", "validate")
    shown = clone.json("metrics", "show")[""]["data"]
    metrics = {
        path: _count_leaves(file["data"])
        for path, file in shown.items()
        if path.removeprefix("reports/").startswith(stages)
    }
    assert len(metrics) == 8
    assert max(metrics.values()) <= MAX_METRICS


def _count_leaves(value: Any) -> int:
    return sum(map(_count_leaves, value.values())) if isinstance(value, dict) else 1


def test_an_edited_skill_file_runs_what_depends_on_it_and_shows_in_the_metrics(clone: Clone) -> None:
    path = clone.root / "data/raw/skills/call.md"
    path.write_text(path.read_text("utf-8") + EXAMPLE, "utf-8")
    assert clone.ran(clone.repro()) == ["ingest@skills", "compile", "curate", "split", "validate"]
    changes = clone.json("metrics", "diff")
    assert changes["reports/compile.json"]["rows_in"]["diff"] == 1
    assert changes["reports/compile.json"]["kept"]["diff"] == 1
    assert changes["reports/split.json"]["rows_in"]["diff"] == 1


def test_an_example_that_cannot_be_grounded_is_counted_as_rejected_with_its_reason(clone: Clone) -> None:
    clone.edit("data/raw/skills/call.md", "ring the harbour master for me", "ring them for me")
    clone.repro()
    assert clone.json("metrics", "diff")["reports/compile.json"]["rejected"]["diff"] == 1
    clone.restore()
    assert clone.json("status", "--with-deps", "validate") == {}


def test_an_edited_parameter_runs_its_stage_alone_and_shows_in_the_diff(clone: Clone) -> None:
    clone.edit("params.yaml", "salt: exemplars-1", "salt: exemplars-2")
    assert clone.ran(clone.repro()) == ["split", "validate"]
    assert clone.json("params", "diff") == {
        "params.yaml": {"split.salt": {"old": "exemplars-1", "new": "exemplars-2"}}
    }
    clone.restore()


@pytest.mark.parametrize(
    ("path", "stages"),
    [
        ("stages/publish/page.html.jinja", {"publish"}),
        ("stages/publish/paths.py", {"publish"}),
        ("stages/curate/steps/conflicts.py", {"curate"}),
        ("exemplars/models/calls.py", {"render", "train", "evaluate", "publish"}),
        (
            "exemplars/core/ledger.py",
            {"ingest", "compile", "curate", "split", "validate", "render", "train", "evaluate", "publish"},
        ),
    ],
)
def test_an_edit_of_code_runs_the_stages_that_use_it(trained: Clone, path: str, stages: set[str]) -> None:
    with (trained.root / path).open("a") as file:
        file.write("\n")
    assert trained.stages_with_changed_code() == stages
    trained.git("checkout", "--", path)


def list_changed_runs(project: Clone) -> set[str]:
    """List the runs that `dvc repro` would train again."""
    return {stage for stage in project.json("status") if stage.startswith("train@")}


def test_a_run_is_trained_again_after_a_change_of_its_own_recipe_or_rows_alone(trained: Clone) -> None:
    assert trained.json("status") == {}
    trained.edit("params.yaml", "tagger: {method: tagger, epochs: 1", "tagger: {method: tagger, epochs: 2")
    assert trained.ran(trained.dvc("repro", "--dry", "train").stdout) == ["train@tagger"]
    assert list_changed_runs(trained) == {"train@tagger"}
    trained.git("checkout", "--", "params.yaml")
    trained.edit("params.yaml", "lora: training", "lora: training, dora: training")
    assert list_changed_runs(trained) == {"train@dora"}
    trained.git("checkout", "--", "params.yaml")
    encoders = {"train@retriever", "train@tagger"}
    for folder, runs in (("training", {"train@lora"}), ("splits", encoders)):
        path = trained.root / f"data/{folder}/validation.parquet"
        data = path.read_bytes()
        path.write_bytes(data + b"x")
        assert list_changed_runs(trained) == runs
        path.write_bytes(data)
    assert trained.json("status") == {}


def test_plots_are_drawn(clone: Clone) -> None:
    done = clone.dvc("plots", "show")
    assert done.returncode == 0, done.stderr
    page = (clone.root / "dvc_plots/index.html").read_text("utf-8")
    for title in ("Rejected records by reason", "Arguments by grounding", "Exemplars by skill"):
        assert title in page


def test_a_broken_critical_expectation_fails_the_pipeline(clone: Clone) -> None:
    clone.edit("params.yaml", "min_exemplars: 30", "min_exemplars: 100000")
    done = clone.dvc("repro", "validate")
    assert done.returncode != 0
    assert "min_exemplars: 257 exemplars; at least 100,000" in done.stderr
    assert "Traceback" not in done.stderr
    assert clone.ran(done.stdout) == ["validate"]
    clone.restore()


def test_a_changed_bias_limit_runs_validate_alone(clone: Clone) -> None:
    clone.edit("params.yaml", "max_association: 0.9", "max_association: 0.8")
    printed = clone.repro()
    assert clone.ran(printed) == ["validate"]
    clone.restore()


def test_a_mistyped_parameter_is_reported_with_its_line(clone: Clone) -> None:
    clone.edit("params.yaml", "salt: exemplars-1", "slat: exemplars-1")
    done = clone.dvc("repro", "validate")
    assert done.returncode != 0
    assert "unknown key 'split.slat'" in done.stderr
    assert "Traceback" not in done.stderr
    clone.git("checkout", "--", "params.yaml")


def test_a_kill_in_mid_write_keeps_the_old_output_and_the_next_repro_completes(clone: Clone) -> None:
    clone.repro()
    exemplars = clone.root / "data/exemplars/exemplars.parquet"
    before = exemplars.read_bytes()
    path = clone.root / "data/raw/skills/call.md"
    path.write_text(path.read_text("utf-8") + EXAMPLE, "utf-8")
    # A process that is killed where it would put its finished file in the place of the old one.
    killer = clone.root / "killer"
    killer.mkdir()
    (killer / "sitecustomize.py").write_text(
        "import os, pathlib, signal, sys\n"
        "if 'stages.compile' in sys.orig_argv:\n"
        "    pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n",
        "utf-8",
    )
    done = clone.dvc("repro", "validate", forked=False, PYTHONPATH=str(killer))
    assert done.returncode != 0
    assert exemplars.read_bytes() == before
    assert clone.ran(clone.repro()) == ["compile", "curate", "split", "validate"]
    assert exemplars.read_bytes() != before
    assert clone.json("status", "--with-deps", "validate") == {}
