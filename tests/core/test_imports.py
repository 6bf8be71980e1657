"""Packages that are left out while another one is imported."""

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
def test_a_package_that_is_left_out_cannot_be_imported_and_can_be_afterwards(name: str) -> None:
    with hide_packages("heavy"), pytest.raises(ModuleNotFoundError, match="is left out"):
        importlib.import_module(name)
    assert importlib.import_module(name).__name__ == name


@pytest.mark.usefixtures("package")
def test_other_packages_are_imported_meanwhile() -> None:
    with hide_packages("light"):
        assert importlib.import_module("heavy.part").__name__ == "heavy.part"


@pytest.mark.usefixtures("package")
def test_an_error_meanwhile_ends_it() -> None:
    with pytest.raises(ValueError, match="found"), hide_packages("heavy"):
        raise ValueError("found")
    assert importlib.import_module("heavy").__name__ == "heavy"


def test_curate_finds_names_and_numbers_without_importing_a_model_library() -> None:
    told = (
        "import sys\n"
        "from stages.curate.english import blank_english\n"
        "from stages.curate.privacy.findings import _pattern_recognizers\n"
        "print([token.text for token in blank_english()('call Ada')], len(_pattern_recognizers()))\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))\n"
    )
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout == "['call', 'Ada'] 7\n[]\n"
