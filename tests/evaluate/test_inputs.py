"""Inputs that stop the evaluation before any model answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.files import write_bytes, write_json
from exemplars.core.tables import write_table
from exemplars.dataset.recognizers import Recognizers, encode_recognizers
from exemplars.models.base_models import FolderBase
from exemplars.models.run_manifest import StartRun
from stages.evaluate.inputs import SCHEMAS, read_inputs
from stages.evaluate.loaders import load_models, read_runs
from stages.evaluate.params import EvaluateParams
from stages.evaluate.system_names import Role, choose_systems
from tests.runs import make_manifest
from tests.tiny import make_render_manifest

pytest.importorskip("torch")
BASE = "b" * 64


def write_run(folder: Path, digest: str = "a" * 64, **changes: Any) -> Path:
    folder.mkdir()
    write_json(folder / "manifest.json", make_manifest(**{"base_sha256": BASE, **changes}))
    (folder / "rows.txt").write_text(f"{digest}\n", encoding="ascii")
    return folder


def test_all_problems_of_all_runs_are_reported_together(tmp_path: Path) -> None:
    tagger = {"run": "tagger-3-4", "params": {"recipe": {"method": "tagger"}}}
    folders = {
        "lora": write_run(tmp_path / "lora", "c" * 64),
        "dora": write_run(tmp_path / "dora", run="dora-1-2", base_sha256="0" * 64),
        "tagger": write_run(tmp_path / "tagger", "c" * 64, **tagger, base_sha256="1" * 64),
        "full": tmp_path / "full",
    }
    with pytest.raises(UserError) as raised:
        read_runs(folders, BASE, {"c" * 64, "d" * 64})
    assert [problem.message for problem in raised.value.diagnostics] == [
        "found no such file, expected a run of this version; run `dvc repro train`",
        "lora-1-2 was trained on 1 test row(s); run `dvc repro train`, then `dvc repro evaluate`",
        "dora-1-2 is a run on the base 0000000000000000…, not on the base bbbbbbbbbbbbbbbb…, for which the rows were "
        "rendered; run `dvc repro train`, then `dvc repro evaluate`",
        "tagger-3-4 was trained on 1 test row(s); run `dvc repro train`, then `dvc repro evaluate`",
    ]


def test_a_run_whose_start_was_trained_again_is_not_compared_with_it(tmp_path: Path) -> None:
    start = StartRun("lora-1-1", "lora", "e" * 64)
    dpo = {"run": "dpo-3-4", "recipe": "dpo", "params": {"recipe": {"method": "dpo"}}, "start": start}
    folders = {"lora": write_run(tmp_path / "lora"), "dpo": write_run(tmp_path / "dpo", **dpo)}
    with pytest.raises(UserError) as raised:
        read_runs(folders, BASE, ())
    assert [problem.message for problem in raised.value.diagnostics] == [
        "dpo-3-4 starts from lora-1-1, but lora was trained again since; run `dvc repro --force --single-item "
        "train@dpo`, then `dvc repro evaluate`"
    ]
    same = write_run(tmp_path / "same", **{**dpo, "start": StartRun("lora-1-2", "lora", "c" * 64)})
    assert list(read_runs({"lora": folders["lora"], "dpo": same}, BASE, ())) == ["lora", "dpo"]


def test_a_model_of_rewards_is_no_system_and_is_not_loaded(tmp_path: Path) -> None:
    folders = {"reward": write_run(tmp_path / "reward", params={"recipe": {"method": "reward"}})}
    runs = read_runs(folders, BASE, ())
    assert runs["reward"].role is Role.REWARD
    assert list(load_models(runs, FolderBase(path="base", license="MIT"), []).loaders) == [None]
    with pytest.raises(UserError, match="no system 'reward'"):
        choose_systems(["knn", "reward"], "knn", {"reward": Role.REWARD})


def test_all_taggers_that_cannot_be_loaded_are_reported_together(tmp_path: Path) -> None:
    tagger = {"params": {"recipe": {"method": "tagger"}}}
    folders = {name: write_run(tmp_path / name, **tagger) for name in ("first", "second")}
    base = FolderBase(path="base", license="MIT")
    with pytest.raises(UserError) as raised:
        load_models(read_runs(folders, BASE, ()), base, [])
    assert [Path(problem.path).parent.name for problem in raised.value.diagnostics] == ["first", "second"]


def test_empty_splits_are_reported_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path, schema in SCHEMAS.items():
        write_table(path, schema.empty_table())
    write_json(layout.CATALOG, [])
    write_bytes(layout.LEXICON, encode_recognizers(Recognizers()))
    write_json(layout.TRAINING_BASE, make_render_manifest(FolderBase(path="base", license="MIT"), BASE))
    with pytest.raises(UserError) as raised:
        read_inputs(EvaluateParams())
    assert [problem.path for problem in raised.value.diagnostics] == [
        "data/training/train.parquet",
        "data/training/test.parquet",
    ]
    assert {problem.found for problem in raised.value.diagnostics} == {"no row of the view call"}
