"""Names in `params.yaml` that would be run by a shell, or lead out of the data's folders, with real DVC."""

from __future__ import annotations

import json

import pytest

from tests.pipeline.conftest import Clone

RULE = "expected at most 100 of the characters a-z, 0-9, _ and -, with a letter or digit at the beginning"


@pytest.mark.parametrize(
    "name",
    ["lab; touch evil", "$(touch evil)", "`touch evil`", "a' ; touch evil ; '", 'a" ; touch evil ; "', "a b"],
)  # fmt: skip
def test_the_name_of_a_source_is_not_run(clone: Clone, name: str) -> None:
    clone.edit("params.yaml", "    bots:\n      format", f"    {json.dumps(name)}:\n      format")
    done = clone.dvc("repro", "-s", "ingest")
    assert done.returncode != 0
    assert RULE in done.stderr
    assert not list(clone.root.rglob("evil*"))
    clone.git("checkout", "--", ".")


@pytest.mark.parametrize("name", ["../../evil", "a.b"])
def test_dvc_itself_refuses_a_name_with_a_dot(clone: Clone, name: str) -> None:
    clone.edit("params.yaml", "    bots:\n      format", f"    {json.dumps(name)}:\n      format")
    done = clone.dvc("repro", "-s", "ingest")
    assert done.returncode != 0
    assert f"Parameters 'ingest.sources.{name}' are missing" in done.stderr
    assert not list(clone.root.rglob("evil*")) + list(clone.root.parent.glob("evil*"))
    clone.git("checkout", "--", ".")


def test_the_name_of_a_recipe_is_not_run(clone: Clone) -> None:
    name = "lora; touch evil"
    clone.edit("params.yaml", ", lora: training", f", {name!r}: training")
    clone.edit("params.yaml", "    lora: {", f"    {name!r}: {{")
    tables = (f"data/{folder}/{split}.parquet" for folder in ("splits", "training") for split in ("train", "validation"))  # fmt: skip
    for path in ("data/exemplars/catalog.json", "data/exemplars/templates.parquet", *tables):
        (clone.root / path).parent.mkdir(parents=True, exist_ok=True)
        (clone.root / path).write_text("x")
    done = clone.dvc("repro", "-s", "train")
    assert done.returncode != 0
    assert RULE in done.stderr
    assert not list(clone.root.rglob("evil*"))
    clone.git("checkout", "--", ".")


def test_the_sources_of_the_project_are_read_by_their_names(clone: Clone) -> None:
    done = clone.dvc("repro", "-s", "ingest@labelled")
    assert done.returncode == 0, done.stderr
    assert (clone.root / "data/records/labelled.parquet").exists()
