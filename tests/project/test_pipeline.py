from __future__ import annotations

from typing import Any

import pytest
import yaml

from exemplars.project.pipeline import build_project_pipeline
from tests.conftest import PROJECT

OURS = yaml.safe_load((PROJECT / "dvc.yaml").read_bytes())
THEIRS = yaml.safe_load(build_project_pipeline((PROJECT / "dvc.yaml").read_text("utf-8")))
CODE = ("exemplars/", "stages/")
SCHEMAS = ("${compile.recognizers}", "${curate.lexicons}", "schemas", "schemas/expectations")


def get_stage(pipeline: dict[str, Any], name: str) -> dict[str, Any]:
    stage: dict[str, Any] = pipeline["stages"][name]
    return stage.get("do", stage)


def test_all_but_the_stages_is_the_same() -> None:
    assert {**THEIRS, "stages": list(THEIRS["stages"])} == {**OURS, "stages": list(OURS["stages"])}


@pytest.mark.parametrize("name", OURS["stages"])
def test_a_stage_differs_in_dependencies_and_parameters_alone(name: str) -> None:
    ours, theirs = get_stage(OURS, name), get_stage(THEIRS, name)
    assert {**theirs, "deps": [], "params": []} == {**ours, "deps": [], "params": []}
    assert THEIRS["stages"][name].get("foreach") == OURS["stages"][name].get("foreach")


@pytest.mark.parametrize("name", OURS["stages"])
def test_the_code_of_a_stage_is_a_key_of_code_yaml(name: str) -> None:
    stage = get_stage(THEIRS, name)
    assert stage["params"][-1] == {"code.yaml": [f"code.{name}"]}
    assert not [dependency for dependency in stage["deps"] if dependency.startswith(CODE)]


@pytest.mark.parametrize("name", OURS["stages"])
def test_the_data_that_a_stage_reads_is_the_same(name: str) -> None:
    ours = [
        path for path in get_stage(OURS, name)["deps"] if not path.startswith(CODE) and path not in SCHEMAS
    ]
    theirs = [path for path in get_stage(THEIRS, name)["deps"] if path != "schemas"]
    assert theirs == [path for path in ours if path != "${train.recipes.continued.text}"]


def test_a_project_depends_on_its_own_schemas_where_this_repository_does() -> None:
    with_schemas = [name for name in OURS["stages"] if set(get_stage(OURS, name)["deps"]) & set(SCHEMAS)]
    assert [name for name in THEIRS["stages"] if "schemas" in get_stage(THEIRS, name)["deps"]] == with_schemas


def test_params_yaml_need_not_name_what_has_a_default() -> None:
    named = {
        parameter
        for name in THEIRS["stages"]
        for parameter in get_stage(THEIRS, name)["params"]
        if isinstance(parameter, str)
    }
    sections = {"compile", "curate", "split", "validate", "render", "evaluate", "publish"}
    keys = {"ingest.context_turns", "ingest.sources", "ingest.sources.${key}"}
    keys |= {"train.recipes", "train.runs", "train.shared"}
    assert named == sections | keys
