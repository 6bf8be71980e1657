"""What a stage imports is what it depends on in dvc.yaml: its own folder, and packages of `exemplars`."""

from __future__ import annotations

import grimp
import pytest
import yaml

from tests.conftest import PROJECT

STAGES = sorted(path.parent.name for path in PROJECT.glob("stages/*/__main__.py"))


def imported_packages(stage: str) -> set[str]:
    """The packages of the project that the stage's entry point imports, directly or not."""
    graph = grimp.build_graph("exemplars", "stages")
    entry_point = f"stages.{stage}.__main__"
    modules = {entry_point, *graph.find_upstream_modules(entry_point)}
    return {"/".join(module.split(".")[:2]) for module in modules if "." in module}


def declared_packages(stage: str) -> set[str]:
    """The entries of the stage's `deps` that are code."""
    stages = yaml.safe_load((PROJECT / "dvc.yaml").read_bytes())["stages"]
    deps = stages[stage].get("do", stages[stage])["deps"]
    return {dependency for dependency in deps if dependency.startswith(("stages/", "exemplars/"))}


def test_every_entry_point_is_a_stage_of_the_pipeline() -> None:
    assert sorted(yaml.safe_load((PROJECT / "dvc.yaml").read_bytes())["stages"]) == STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_the_packages_that_it_imports(stage: str) -> None:
    assert declared_packages(stage) == imported_packages(stage)
