"""Copies of what was read from GGUF files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from exemplars.core.errors import UserError
from exemplars.models.base_models import hash_model
from exemplars.models.unpacked_copies import CACHE_VARIABLE, Part, find_copy, make_copy

SHA256 = "a" * 64


class Weights(NamedTuple):
    """A model that counts how often it is read."""

    reads: list[int]

    def read(self) -> Weights:
        self.reads.append(1)
        return self

    def save_pretrained(self, folder: str) -> None:
        (Path(folder) / "model.safetensors").write_bytes(b"weights")


def make(weights: Weights) -> Path | None:
    make_copy(SHA256, Part.MODEL, hash_model, weights.read)
    return find_copy(SHA256, Part.MODEL, hash_model)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_copy_is_found_under_the_hash_of_its_file_and_of_its_part_alone(cache: Path) -> None:
    weights = Weights([])
    assert find_copy(SHA256, Part.MODEL, hash_model) is None
    folder = make(weights)
    assert folder is not None and folder.is_relative_to(cache)
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert find_copy("b" * 64, Part.MODEL, hash_model) is None
    assert find_copy(SHA256, Part.TOKENIZER, hash_model) is None
    assert weights.reads == [1]


def test_a_copy_that_was_changed_is_not_used_and_made_again(cache: Path) -> None:
    folder = make(Weights([]))
    assert folder is not None
    (folder / "model.safetensors").write_bytes(b"others")
    assert find_copy(SHA256, Part.MODEL, hash_model) is None
    assert make(Weights([])) == folder
    assert (folder / "model.safetensors").read_bytes() == b"weights"


def test_an_empty_variable_and_a_file_without_a_hash_make_no_copy(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = Weights([])
    make_copy("", Part.MODEL, hash_model, weights.read)
    monkeypatch.setenv(CACHE_VARIABLE, "")
    assert make(weights) is None
    assert weights.reads == []
    assert not cache.exists()


def test_without_room_or_with_a_file_in_the_way_nothing_is_copied_and_nothing_fails(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = Weights([])
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
        assert make(weights) is None
    assert weights.reads == []
    shutil.rmtree(cache)
    cache.write_bytes(b"a file")
    assert make(weights) is None


def test_a_model_that_cannot_be_read_leaves_no_copy(cache: Path) -> None:
    def fail() -> Weights:
        raise UserError([])

    with pytest.raises(UserError):
        make_copy(SHA256, Part.MODEL, hash_model, fail)
    assert [path for path in cache.rglob("*") if path.is_file()] == []
