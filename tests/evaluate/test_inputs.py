"""Inputs that stop the evaluation before any model answers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.core.params import load_section
from exemplars.models.base_models import FolderBase, find_base
from exemplars.models.run_manifest import Manifest
from stages.evaluate.inputs import build_question
from stages.evaluate.loaders import make_run_loader
from stages.evaluate.params import EvaluateParams
from tests.conftest import SAMPLE
from tests.runs import make_manifest
from tests.tiny import make_render_manifest, save_tiny

pytest.importorskip("torch")


@pytest.fixture
def base(tmp_path: Path) -> FolderBase:
    return FolderBase(path=str(save_tiny(tmp_path / "base")), license="MIT")


@pytest.fixture
def manifest(base: FolderBase, tmp_path: Path) -> Manifest:
    (tmp_path / "rows.txt").write_text(f"{'a' * 64}\n{'b' * 64}\n", encoding="ascii")
    return make_manifest(base=base, base_sha256=find_base(base).sha256, base_license="MIT")


def test_a_run_that_saw_a_test_row_is_not_evaluated(
    base: FolderBase, manifest: Manifest, tmp_path: Path
) -> None:
    assert callable(make_run_loader(tmp_path, manifest, base, ["c" * 64]))
    with pytest.raises(UserError, match=r"lora-1-2 was trained on 1 test row\(s\); run `dvc repro train`"):
        make_run_loader(tmp_path, manifest, base, ["b" * 64, "c" * 64])


def test_a_tagger_is_not_evaluated_as_a_language_model(
    base: FolderBase, manifest: Manifest, tmp_path: Path
) -> None:
    tagger = msgspec.structs.replace(manifest, params={"recipe": {"method": "tagger"}})
    with pytest.raises(UserError, match="lora-1-2 is a tagger, not a language model; run"):
        make_run_loader(tmp_path, tagger, base, [])


def test_a_run_on_a_different_base_than_the_rows_is_not_evaluated(
    base: FolderBase, manifest: Manifest, tmp_path: Path
) -> None:
    other = msgspec.structs.replace(manifest, base_sha256="0" * 64)
    with pytest.raises(
        UserError,
        match=r"lora-1-2 is a run on the base 0000000000000000…, not on the base [0-9a-f]{16}…, for which the rows",
    ):
        make_run_loader(tmp_path, other, base, [])


def test_empty_splits_are_reported_together(base: FolderBase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SAMPLE)
    params = load_section("evaluate", EvaluateParams)
    rendered = make_render_manifest(base, "0" * 64)
    with pytest.raises(UserError) as raised:
        build_question([], [], [], rendered, params)
    assert [problem.path for problem in raised.value.diagnostics] == [
        "data/training/train.parquet",
        "data/training/test.parquet",
    ]
    assert {problem.found for problem in raised.value.diagnostics} == {"no row of the view call"}
