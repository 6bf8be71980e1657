"""What is refused before anything is asked."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.core.params import load_section
from exemplars.models.base_models import FolderBase, find_base
from exemplars.models.rows import TRAINING_SCHEMA
from exemplars.models.run_manifest import Manifest
from stages.evaluate.inputs import question_of, tuned_loader
from stages.evaluate.params import EvaluateParams
from tests.conftest import PROJECT
from tests.runs import manifest_of
from tests.tiny import rendered_for, save_tiny

pytest.importorskip("torch")


@pytest.fixture
def base(tmp_path: Path) -> FolderBase:
    return FolderBase(path=str(save_tiny(tmp_path / "base")), license="MIT")


@pytest.fixture
def manifest(base: FolderBase, tmp_path: Path) -> Manifest:
    (tmp_path / "rows.txt").write_text(f"{'a' * 64}\n{'b' * 64}\n", encoding="ascii")
    return manifest_of(base=base, base_sha256=find_base(base).sha256, base_license="MIT")


def test_a_run_that_saw_a_test_row_is_not_judged(
    base: FolderBase, manifest: Manifest, tmp_path: Path
) -> None:
    assert callable(tuned_loader(tmp_path, manifest, base, ["c" * 64]))
    with pytest.raises(UserError, match=r"found 1 test row\(s\) among the rows that lora-1-2 was trained on"):
        tuned_loader(tmp_path, manifest, base, ["b" * 64, "c" * 64])


def test_a_run_on_another_base_than_the_rows_is_not_judged(
    base: FolderBase, manifest: Manifest, tmp_path: Path
) -> None:
    other = msgspec.structs.replace(manifest, base_sha256="0" * 64)
    with pytest.raises(UserError, match=r"found lora-1-2 on the base 0000000000000000…, rows for"):
        tuned_loader(tmp_path, other, base, [])


def test_empty_splits_are_told_together(base: FolderBase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    params = load_section("evaluate", EvaluateParams)
    rendered = rendered_for(base, "0" * 64)
    empty = TRAINING_SCHEMA.empty_table()
    with pytest.raises(UserError) as found:
        question_of({"train": empty, "test": empty}, [], rendered, params)
    assert [one.path for one in found.value.diagnostics] == [
        "data/training/train.parquet",
        "data/training/test.parquet",
    ]
    assert {one.found for one in found.value.diagnostics} == {"no row of the view call"}
