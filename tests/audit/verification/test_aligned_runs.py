"""Aligned runs as `exemplars verify` sees them: intact, and changed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from exemplars.audit.lineage.run_provenance import describe_run
from exemplars.audit.run_history import find_runs
from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.core.tables import rows_to_table, write_table
from exemplars.models.rows import TrainingRow
from stages.train.recipe_params import Dpo, Rloo
from tests.audit.verification.checked_runs import find_run_problems
from tests.train.alignment.projects import RECIPES, SMALL, AlignmentProject

pytest.importorskip("trl")
OUTS = (
    *(f"models/{name}/manifest.json" for name in ("dpo", "rloo")),
    *(f"data/training/{name}.parquet" for name in ("train", "validation", "test")),
    *(f"data/preferences/{name}.parquet" for name in ("train", "validation")),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("verify")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        commit = ["commit", "-q", "--allow-empty", "-m", "first"]
        for command in (["init", "-q"], ["-c", "user.name=a", "-c", "user.email=a@example.org", *commit]):
            subprocess.run(["git", *command], check=True)
        sources = {"s": {"format": "jsonl", "path": "raw", "license": "MIT"}}
        Path("params.yaml").write_text(json.dumps({"ingest": {"sources": sources}}))
        project = AlignmentProject(root)
        project.train("lora", max_steps=1)
        project.train("dpo", Dpo(start="lora", **SMALL), max_steps=1)
        rloo = RECIPES["rloo"]
        assert isinstance(rloo, Rloo)
        project.train("rloo", msgspec.structs.replace(rloo, prompts=3), max_steps=1)
        held_out = [msgspec.structs.replace(project.rows[0], digests=("f" * 64,))]
        write_table(layout.training("test"), rows_to_table(held_out, TrainingRow))
    return root


def find_problems() -> list[str]:
    return [f"{problem.path}: {problem.code}: {problem.found}" for problem in find_run_problems(OUTS)]


def add_row(digest: str) -> None:
    """Add a row to what the run of dpo says that it saw, and make its manifest agree."""
    rows, manifest = Path("models/dpo/rows.txt"), Path("models/dpo/manifest.json")
    data = "".join(f"{line}\n" for line in sorted([*rows.read_text().split(), digest])).encode()
    rows.write_bytes(data)
    manifest.write_text(json.dumps({**json.loads(manifest.read_bytes()), "rows_sha256": hash_content(data)}))


def test_aligned_runs_that_were_not_touched_have_no_problem(project: Path) -> None:
    assert find_problems() == []


def test_the_sources_of_an_aligned_run_are_those_of_its_start_and_its_preferences(project: Path) -> None:
    runs = {run.manifest.recipe: run for run in find_runs(project)}
    described = {name: describe_run(project, runs[name]) for name in ("dpo", "rloo")}
    assert [(found["rows_proved"], found["rows_by_source"]) for found in described.values()] == [
        (True, {"preferences": 4, "s": 4}),
        (True, {"s": 3}),
    ]


def test_a_row_of_test_or_of_nowhere_is_found(project: Path) -> None:
    add_row("f" * 64)
    problems = find_problems()
    assert any("rows.txt: leaked: 1 row(s) of the test split" in problem for problem in problems)
    assert any("rows.txt: wrong_rows: 1 digest(s) that are neither" in problem for problem in problems)


def test_preferences_that_changed_since_are_found(project: Path) -> None:
    shutil.copy("data/preferences/validation.parquet", "data/preferences/train.parquet")
    problems = find_problems()
    assert any("data_hashes.preferences: wrong_manifest" in problem for problem in problems)
    assert any("manifest.json: run: wrong_manifest: dpo-" in problem for problem in problems)


@pytest.mark.parametrize(("name", "key", "value"), [("dpo", "beta", 0.5), ("rloo", "temperature", 0.5)])
def test_a_manifest_with_other_parameters_is_found(name: str, key: str, value: float, project: Path) -> None:
    path = Path(f"models/{name}/manifest.json")
    manifest = json.loads(path.read_bytes())
    manifest["params"]["recipe"][key] = value
    path.write_text(json.dumps(manifest))
    assert [problem.partition(": wrong_manifest")[0] for problem in find_problems()] == [
        f"models/{name}/manifest.json: run"
    ]


def test_a_start_that_is_gone_is_no_problem(project: Path) -> None:
    shutil.rmtree("models/lora")
    assert find_problems() == []
