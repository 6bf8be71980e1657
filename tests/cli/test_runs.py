"""`exemplars runs` on a real repository with a history."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.cli.project import Project, exemplar

ROW = exemplar("skills:call.md#7", "call Maria")
OTHER = exemplar("skills:call.md#10", "ring Bob")
Printed = Callable[..., str]


def test_runs_are_listed_with_place_figures_and_base(project: Project, printed: Printed) -> None:
    first = project.trained([ROW])
    project.commit()
    where = project.git("log", "-1", "--format=%h")
    second = project.trained([OTHER])
    assert printed("runs").splitlines() == [
        "run                                 where          steps        tokens     loss",
        f"{second}      workspace          3             9   0.0000",
        "  lora on tiny r1, MIT",
        f"{first}      {where:<12}       3             9   0.0000",
        "  lora on tiny r1, MIT",
    ]


def test_a_long_name_has_a_line_of_its_own(project: Project, printed: Printed) -> None:
    run = project.trained([ROW], "a-recipe-with-a-rather-long-name" * 2)
    lines = printed("runs").splitlines()
    assert lines[1] == run
    assert lines[2].split() == ["workspace", "3", "9", "0.0000"]
    assert all(len(line) <= 80 for line in lines if line != run)


def test_json_has_the_manifests(project: Project, printed: Printed) -> None:
    run = project.trained([ROW])
    (document,) = json.loads(printed("runs", "--format", "json"))
    assert (document["run"], document["where"], document["steps"]) == (run, "workspace", 3)


def test_without_a_run_there_is_one_sentence(project: Project, printed: Printed) -> None:
    assert printed("runs") == "no run yet: `dvc repro train` makes one\n"
