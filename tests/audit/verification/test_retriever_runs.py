"""Runs of the recipes `retriever` and `lsr` as `exemplars verify` sees them: intact, and with other inputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.core import layout
from exemplars.core.files import write_bytes
from exemplars.core.schemas import TEMPLATE_SCHEMA
from exemplars.core.tables import write_table
from exemplars.dataset.catalog import Skill, encode_catalog
from exemplars.dataset.row_tables import exemplars_to_table
from tests.audit.verification.checked_runs import find_run_problems
from tests.models.tagger.rows import ROWS, SKILLS, make_row
from tests.train.lsr.trained import train_tiny as train_lsr
from tests.train.retriever.trained import train_tiny as train_retriever

pytest.importorskip("sentence_transformers")


def find_problems(recipe: str) -> list[str]:
    outs = [
        f"models/{recipe}/manifest.json",
        *(f"data/splits/{name}.parquet" for name in ("train", "validation")),
    ]
    return [f"{problem.path}: {problem.code}" for problem in find_run_problems(outs)]


@pytest.mark.parametrize("recipe", ["retriever", "lsr"])
def test_a_run_is_named_by_its_models_rows_and_catalog(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if recipe == "lsr":
        train_lsr(epochs=1)
    else:
        train_retriever(shared={"max_steps": 1})
    write_bytes(layout.CATALOG, encode_catalog(SKILLS))
    write_table(layout.TEMPLATES, TEMPLATE_SCHEMA.empty_table())
    for name in ("train", "validation"):
        write_table(layout.split(name), exemplars_to_table(ROWS))
    assert find_problems(recipe) == []
    write_bytes(layout.CATALOG, encode_catalog([*SKILLS, Skill("sing")]))
    assert find_problems(recipe) == [f"models/{recipe}/manifest.json: run: wrong_manifest"]
    write_bytes(layout.CATALOG, encode_catalog(SKILLS))
    write_table(layout.split("train"), exemplars_to_table([*ROWS, make_row("hello", None)]))
    assert find_problems(recipe) == [f"models/{recipe}/rows.txt: wrong_rows"]
    report = json.loads(layout.details(f"train/{recipe}").read_bytes())
    assert report["rows"] == {"in": 8, "trained": 8, "rejected": 0}
