"""Base models in local folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from exemplars.models.base_models import FolderBase, find_base, hash_model, load_config, load_tokenizer
from tests.tiny import save_tiny

pytest.importorskip("torch")


def test_code_in_the_folder_of_a_model_is_never_run(tmp_path: Path) -> None:
    config = {"model_type": "odd", "auto_map": {"AutoConfig": "odd.OddConfig"}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "odd.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"base_model: found .*, expected a model and a tokenizer that"):
        load_config(find_base(FolderBase(path=str(tmp_path), license="MIT")))
    assert not (tmp_path / "ran").exists()


def test_a_tokenizer_is_saved_without_the_options_that_it_was_loaded_with(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(find_base(FolderBase(path=str(save_tiny(tmp_path / "tiny")), license="MIT")))
    tokenizer.save_pretrained(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved" / "tokenizer_config.json").read_bytes())
    assert saved.get("local_files_only") is not True
    assert "trust_remote_code" not in saved


def test_the_hash_of_a_model_depends_on_names_and_contents_but_not_on_its_readme(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"{}")
    before = hash_model(tmp_path)
    (tmp_path / "README.md").write_bytes(b"about")
    assert hash_model(tmp_path) == before
    (tmp_path / "config.json").write_bytes(b"{ }")
    changed = hash_model(tmp_path)
    (tmp_path / "config.json").rename(tmp_path / "other.json")
    assert len({before, changed, hash_model(tmp_path)}) == 3


def test_a_folder_with_a_different_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"{}")
    base = FolderBase(path=str(tmp_path), license="MIT", sha256="0" * 64)
    with pytest.raises(
        UserError, match=r"base_model: found SHA-256 [0-9a-f]{16}…, expected 0000000000000000…"
    ):
        find_base(base)
