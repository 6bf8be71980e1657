"""Packages that are hidden while a different one is imported."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from exemplars.core.imports import hide_packages


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package `heavy` with a module `part`, found on the path."""
    (tmp_path / "heavy").mkdir()
    (tmp_path / "heavy" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "heavy" / "part.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("heavy", "heavy.part"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("name", ["heavy", "heavy.part"])
def test_a_hidden_package_cannot_be_imported_until_the_block_ends(name: str) -> None:
    with hide_packages("heavy"), pytest.raises(ModuleNotFoundError, match="is hidden"):
        importlib.import_module(name)
    assert importlib.import_module(name).__name__ == name


@pytest.mark.usefixtures("package")
def test_other_packages_can_be_imported_within_the_block() -> None:
    with hide_packages("light"):
        assert importlib.import_module("heavy.part").__name__ == "heavy.part"


@pytest.mark.usefixtures("package")
def test_an_error_within_the_block_ends_the_hiding() -> None:
    with pytest.raises(ValueError, match="found"), hide_packages("heavy"):
        raise ValueError("found")
    assert importlib.import_module("heavy").__name__ == "heavy"


def test_curate_finds_names_and_numbers_without_importing_a_model_library() -> None:
    code = (
        "import sys\n"
        "from stages.curate.english import load_blank_english\n"
        "from stages.curate.privacy.findings import _load_recognizers\n"
        "print([token.text for token in load_blank_english()('call Ada')], len(_load_recognizers()))\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['call', 'Ada'] 5\n[]\n"
