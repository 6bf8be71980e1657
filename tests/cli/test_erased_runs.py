"""`exemplars erase --plan` names the runs that `exemplars trace` names: both ask `run_membership`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.dataset.row_tables import exemplars_to_table
from tests.cli.project import SKILLS, Project, exemplar, said

SHA256 = hash_content(SKILLS.encode())
MARIA = exemplar("skills:call.md#7", "call Maria", said("Maria"), sha256=SHA256)
BOB = exemplar("skills:call.md#10", "ring Bob", said("Bob"), sha256=SHA256)
TOMBSTONE = {"id": "t1", "pattern": "Maria", "reviewer": "Kim", "reason": "asked for it"}
PARAMS = """\
ingest:
  context_turns: 12
  sources:
    skills: {format: skills, path: data/raw/skills, license: Apache-2.0}
"""
Printed = Callable[..., str]


@pytest.fixture
def trained(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two rows, a run that was trained on both, and a tombstone for one of them."""
    monkeypatch.setenv("EXEMPLARS_ERASURE_KEY", "a key of the tests, long enough")
    project.write("params.yaml", PARAMS)
    project.write("data/raw/erasures.jsonl", json.dumps(TOMBSTONE) + "\n")
    project.compiled(train=[MARIA, BOB])
    project.rendered(train=[MARIA, BOB])
    project.trained([MARIA, BOB])
    project.commit("first")
    return project


def plan(printed: Printed) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(printed("erase", "--plan", "--format", "json"))
    return document


def traced_runs(printed: Printed) -> dict[str, list[str]]:
    """The runs that `trace` shows for the row, and those whose rows are unavailable."""
    trace = json.loads(printed("trace", MARIA.id, "--format", "json"))
    decisions = {decision["stage"]: decision for decision in trace["rows"][0]["decisions"]}
    runs = decisions["train"]["runs"]
    return {
        "runs": [run["run"] for run in runs if run["digests"]],
        "runs_with_unavailable_rows": [run["run"] for run in runs if run["unknown"]],
    }


def planned_runs(printed: Printed) -> dict[str, list[str]]:
    document = plan(printed)
    return {key: document[key] for key in ("runs", "runs_with_unavailable_rows")}


def lose_rows(project: Project, recipe: str = "lora") -> bytes:
    """Remove the row digests of a run from the workspace and the cache; return them."""
    path = Path(f"models/{recipe}/rows.txt")
    project.cached(path).unlink()
    data = (project.root / path).read_bytes()
    (project.root / path).unlink()
    return data


def test_a_run_of_the_workspace_is_in_the_plan(trained: Project, printed: Printed) -> None:
    run = trained.trained([MARIA, BOB])
    assert planned_runs(printed) == traced_runs(printed) == {"runs": [run], "runs_with_unavailable_rows": []}


def test_a_run_that_was_not_trained_on_the_row_is_not_in_the_plan(trained: Project, printed: Printed) -> None:
    first = trained.trained([MARIA, BOB])
    trained.trained([BOB], "dora")
    assert (
        planned_runs(printed) == traced_runs(printed) == {"runs": [first], "runs_with_unavailable_rows": []}
    )


def test_in_a_fresh_clone_the_rows_of_a_run_come_from_the_remote(
    trained: Project, printed: Printed, tmp_path: Path
) -> None:
    run = trained.trained([MARIA, BOB])
    place = trained.cached(Path("models/lora/rows.txt"))
    trained.write(f"remote/files/md5/{place.parent.name}/{place.name}", lose_rows(trained))
    trained.remote(tmp_path / "remote")
    assert planned_runs(printed) == {"runs": [run], "runs_with_unavailable_rows": []}
    assert traced_runs(printed) == planned_runs(printed)


def test_in_a_fresh_clone_without_a_remote_the_run_is_named_as_unknown(
    trained: Project, printed: Printed
) -> None:
    run = trained.trained([MARIA, BOB])
    lose_rows(trained)
    assert planned_runs(printed) == traced_runs(printed) == {"runs": [], "runs_with_unavailable_rows": [run]}
    lines = printed("erase", "--plan").splitlines()
    index = lines.index("     1 run(s) that may have been trained on it: their rows are unavailable")
    assert lines[index + 1] == f"            {run}"
    assert all(len(line) <= 80 for line in lines)


def test_after_a_switch_of_the_recipe_the_older_run_is_found_by_the_commit_that_made_it(
    trained: Project, printed: Printed
) -> None:
    first = trained.trained([MARIA, BOB])
    (trained.root / "models/lora/rows.txt").unlink()  # `dvc checkout` of the new recipe; the cache keeps it.
    second = trained.trained([MARIA], "dora")
    trained.commit("second")
    assert planned_runs(printed) == {"runs": [second, first], "runs_with_unavailable_rows": []}
    assert traced_runs(printed) == planned_runs(printed)


def test_rows_that_are_not_those_of_the_manifest_prove_nothing(trained: Project, printed: Printed) -> None:
    run = trained.trained([MARIA, BOB])
    trained.write("models/lora/rows.txt", f"{BOB.digest}\n")
    assert planned_runs(printed) == traced_runs(printed) == {"runs": [run], "runs_with_unavailable_rows": []}


def test_a_run_that_was_trained_on_the_row_with_surrogates_is_in_the_plan(
    trained: Project, printed: Printed
) -> None:
    surrogate = exemplar(MARIA.id, "call Anna", said("Anna"), sha256=SHA256)
    for path in (layout.CURATED, layout.split("train")):
        trained.table(path, exemplars_to_table([BOB, surrogate]))
    run = trained.trained([surrogate, BOB])
    assert planned_runs(printed) == traced_runs(printed)
    assert run in planned_runs(printed)["runs"]


def test_a_run_of_an_older_revision_whose_digests_were_different_is_in_the_plan(
    trained: Project, printed: Printed
) -> None:
    first = trained.trained([MARIA, BOB])
    labeled_otherwise = exemplar(MARIA.id, "call Maria", said("Maria"), skill="ring", sha256=SHA256)
    trained.compiled(train=[labeled_otherwise, BOB])
    second = trained.trained([labeled_otherwise, BOB])
    trained.commit("second")
    assert planned_runs(printed)["runs"] == [second, first]


def test_another_row_that_had_the_id_is_not_meant(trained: Project, printed: Printed) -> None:
    first = trained.trained([MARIA, BOB])
    eve = exemplar(MARIA.id, "call Eve", said("Eve"), sha256=hash_content(b"the file with other lines"))
    trained.compiled(train=[eve, BOB])
    trained.trained([eve, BOB], "dora")
    trained.commit("second")
    assert planned_runs(printed)["runs"] == [first]
