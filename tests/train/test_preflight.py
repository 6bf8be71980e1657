"""What a training takes, estimated before a run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
import pytest

from exemplars.core.preflight import Severity, read_project
from stages.train import preflight
from stages.train.preflight import check_machine, check_params
from tests.train.estimate.headers import list_llama_shapes, write_header

PARAMS = """\
ingest: {sources: {mine: {format: jsonl, path: raw, license: MIT}}}
render: {base: {from: folder, path: base, license: MIT}, max_tokens: 100}
train:
  runs: {RECIPE: FOLDER}
publish: {name: mine, title: Mine, released: "2026-01-01"}
"""


class Memory(NamedTuple):
    available: int
    total: int


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose base has 167 million parameters, on a machine with 8 MiB of disk space."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(2**40, 0, 8 * 2**20))  # type: ignore[attr-defined]
    shapes = list_llama_shapes(8, hidden=1024, wide=4096, keys=1024, vocabulary=32_000)
    write_header(tmp_path / "base/model.safetensors", shapes)
    return tmp_path


def check(recipe: str, function: Any) -> list[tuple[Severity, int | None, str]]:
    folder = "splits" if recipe == "tagger" else "training"
    Path("params.yaml").write_text(PARAMS.replace("RECIPE", recipe).replace("FOLDER", folder), "utf-8")
    project, faults = read_project()
    assert faults == []
    return [(item.severity, item.diagnostic.line, item.diagnostic.code) for item in function(project)]


@pytest.mark.parametrize(
    ("free", "whole", "recipe", "expected"),
    [
        (4.0, 8.0, "full", [(Severity.WARNING, 4, "little_memory"), (Severity.WARNING, 4, "little_disk")]),
        (2.0, 2.0, "full", [(Severity.ERROR, 4, "little_memory"), (Severity.WARNING, 4, "little_disk")]),
        (4.0, 8.0, "lora", [(Severity.WARNING, 4, "little_disk")]),
        (1.0, 2.0, "lora", [(Severity.WARNING, 4, "little_memory"), (Severity.WARNING, 4, "little_disk")]),
        (4.0, 8.0, "tagger", [(Severity.WARNING, 4, "little_disk")]),
        (1.0, 1.0, "tagger", [(Severity.WARNING, 4, "little_memory"), (Severity.WARNING, 4, "little_disk")]),
    ],
)
def test_too_little_space_is_found_before_a_run(
    free: float,
    whole: float,
    recipe: str,
    expected: list[tuple[Severity, int, str]],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory = Memory(int(free * 2**30), int(whole * 2**30))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(preflight, "_GPU", folder / "none")
    assert check(recipe, check_machine) == expected


def test_a_training_that_cannot_fit_says_what_would(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(3 * 2**30, 8 * 2**30))
    Path("params.yaml").write_text(PARAMS.replace("RECIPE: FOLDER", "full: training"), "utf-8")
    [memory, _] = check_machine(read_project()[0])
    assert memory.diagnostic.summary == "training full takes up to 4.3 GiB of memory, and 3.0 GiB are free"
    assert memory.diagnostic.fix == (
        "this would fit: a recipe that trains 4 layers; the recipe lora; the recipe qlora"
    )


def test_a_base_that_is_not_here_is_not_estimated(folder: Path) -> None:
    (folder / "base/model.safetensors").unlink()
    assert check("full", check_machine) == []


def test_texts_of_continued_training_are_looked_for(folder: Path) -> None:
    assert check("continued", check_params) == [(Severity.ERROR, 3, "training_input")]
    (folder / "data/raw/text").mkdir(parents=True)
    (folder / "data/raw/text/a.md").write_text("text")
    assert check("continued", check_params) == []


def test_a_model_of_no_run_is_a_warning(folder: Path) -> None:
    for recipe in ("lora", "tagger"):
        (folder / f"models/{recipe}").mkdir(parents=True)
        (folder / f"models/{recipe}/manifest.json").write_text("{}")
    (folder / "models/own/merged").mkdir(parents=True)
    assert [found for found in check("lora", check_machine) if found[2] == "model_of_no_run"] == [
        (Severity.WARNING, 4, "model_of_no_run")
    ]


ALIGNED = """\
ingest: {sources: {mine: {format: jsonl, path: raw, license: MIT}}}
train:
  runs: {dpo: preferences, rloo: training}
  recipes:
    rloo: {method: rloo, start: lora, rewards: {learned: 1.0}}
publish: {name: mine, title: Mine, released: "2026-01-01"}
"""


def test_an_alignment_without_preferences_or_its_start_is_found_before_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(ALIGNED)
    project, _ = read_project()
    found = [(item.diagnostic.line, item.diagnostic.message) for item in check_params(project)]
    fix = "make some by `exemplars preferences mine` or `exemplars judge`, then run `dvc repro`"
    assert found == [
        (3, f"the recipe 'dpo' trains on preferences, and data/raw/preferences.jsonl has none; {fix}"),
        (4, "the recipe 'dpo' needs the run 'lora', which is neither trained nor in train.runs; add `lora` to "
         "train.runs, or correct start"),
        (5, "the recipe 'rloo' needs the run 'lora', which is neither trained nor in train.runs; add `lora` to "
         "train.runs, or correct start"),
        (5, "the recipe 'rloo' needs the run 'reward', which is neither trained nor in train.runs; add `reward` to "
         "train.runs, or correct reward_run"),
    ]  # fmt: skip
    for name in ("lora", "reward"):
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "manifest.json").write_text("{}")
    Path("data/raw").mkdir(parents=True)
    pair = {"version": 1, "id": "p", "row": "0" * 64, "chosen": "yes", "rejected": "no", "source": "written"}
    Path("data/raw/preferences.jsonl").write_bytes(msgspec.json.encode(pair))
    assert list(check_params(project)) == []
