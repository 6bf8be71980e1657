"""What a training takes, estimated before a run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from exemplars.core.preflight import Severity, read_project
from exemplars.models.base_models import FolderBase
from stages.train.params import MINILM
from stages.train.preflight import check_machine, check_params, estimate_parameters

PARAMS = """\
ingest: {sources: {mine: {format: jsonl, path: raw, license: MIT}}}
render: {base: {from: folder, path: base, license: MIT}}
train:
  runs: {RECIPE: FOLDER}
publish: {name: mine, title: Mine, released: "2026-01-01"}
"""


class Memory(NamedTuple):
    available: int


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose base has a million parameters, on a machine with 8 MiB of memory and of disk space."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(8 * 2**20))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(2**40, 0, 8 * 2**20))  # type: ignore[attr-defined]
    (tmp_path / "base").mkdir()
    (tmp_path / "base/model.safetensors").write_bytes(bytes(2_000_000))
    return tmp_path


def check(recipe: str, function: Any) -> list[tuple[Severity, int | None, str]]:
    folder = "splits" if recipe == "tagger" else "training"
    Path("params.yaml").write_text(PARAMS.replace("RECIPE", recipe).replace("FOLDER", folder), "utf-8")
    project, faults = read_project()
    assert faults == []
    return [(item.severity, item.diagnostic.line, item.diagnostic.code) for item in function(project)]


def test_the_parameters_of_a_base_are_estimated_from_its_files(folder: Path) -> None:
    assert estimate_parameters(FolderBase("base", "MIT")) == 1_000_000
    assert estimate_parameters(FolderBase("lost", "MIT")) == 0


def test_too_little_memory_and_disk_space_are_warnings(folder: Path) -> None:
    assert check("full", check_machine) == [
        (Severity.WARNING, 4, "little_memory"),
        (Severity.WARNING, 4, "little_disk"),
    ]
    assert check("lora", check_machine) == [(Severity.WARNING, 4, "little_disk")]


def test_a_tagger_needs_the_memory_of_its_encoder_and_not_of_the_base(folder: Path) -> None:
    (folder / "base/model.safetensors").write_bytes(b"")
    assert check("full", check_machine) == []
    assert estimate_parameters(MINILM) == 45_434_188
    assert check("tagger", check_machine) == [
        (Severity.WARNING, 4, "little_memory"),
        (Severity.WARNING, 4, "little_disk"),
    ]


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
