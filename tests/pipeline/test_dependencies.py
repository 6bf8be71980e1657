"""Every module that a stage imports is a dependency of it in dvc.yaml, and none is named in vain."""

from __future__ import annotations

from pathlib import Path

import grimp
import pytest
import yaml

from tests.pipeline.conftest import PROJECT


def imported(stage: str) -> set[str]:
    """The files of the project that the stage's shell imports, directly or not, relative to the root."""
    graph = grimp.build_graph("stages")
    shell = f"stages.{stage}.__main__"
    modules = {shell, *graph.find_upstream_modules(shell)}
    files = set()
    for module in modules:
        path = Path(*module.split("."))
        file = path.with_suffix(".py")
        files.add((file if (PROJECT / file).is_file() else path / "__init__.py").as_posix())
    return files


def declared(stage: str) -> set[str]:
    """The entries of the stage's `deps` that are code."""
    stages = yaml.safe_load((PROJECT / "dvc.yaml").read_bytes())["stages"]
    deps = stages[stage].get("do", stages[stage])["deps"]
    return {one for one in deps if one.startswith("stages/")}


STAGES = sorted(path.parent.name for path in PROJECT.glob("stages/*/__main__.py"))


def test_every_shell_is_a_stage_of_the_pipeline() -> None:
    assert sorted(yaml.safe_load((PROJECT / "dvc.yaml").read_bytes())["stages"]) == STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_the_import_closure_of_a_stage_is_what_it_depends_on(stage: str) -> None:
    folder = f"stages/{stage}"
    shared = {file for file in imported(stage) if not file.startswith(f"{folder}/")}
    assert declared(stage) == {folder, *shared}
