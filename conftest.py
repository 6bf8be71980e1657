"""Modules without an example in a docstring are not collected as doctests: their imports would take seconds."""

from __future__ import annotations

from pathlib import Path


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out modules that hold neither tests nor examples."""
    if collection_path.suffix != ".py" or collection_path.name.startswith("test_"):
        return None
    return ">>>" not in collection_path.read_text("utf-8") or None
