"""Runs of encoders, which remember the catalog that they were trained for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.files import read_json
from exemplars.dataset.catalog import Skill

CATALOG: Final = "catalog.json"
"""The catalog of the training, next to the weights."""
_CODE: Final = "unusable_run"
_FIX: Final = "run `dvc repro train`"


def make_unusable_error(path: Path, found: str, expected: str) -> UserError:
    """Make the error of a run that cannot be used."""
    return UserError([Diagnostic(path=str(path), code=_CODE, found=found, expected=expected, fix=_FIX)])


def read_settings(path: Path, type_: Any, expected: str) -> Any:
    """Read what an encoder needs in addition to its weights. Raises `UserError` if it is missing or damaged."""
    return read_json(path, type_, code=_CODE, expected=expected, fix=_FIX)


def check_skills(folder: Path, trained: Iterable[Skill], current: Iterable[Skill]) -> None:
    """Raise `UserError` if a skill that an encoder was trained for has changed, or is missing.

    folder: of the run. trained: the skills that it knows. current: the catalog that it is to answer for.
    """
    now = {skill.name: skill for skill in current}
    changed = sorted(skill.name for skill in trained if now.get(skill.name) != skill)
    if changed:
        found = f"skills that changed since the training: {summarize_names(changed)}"
        raise make_unusable_error(folder, found, "the catalog of its training")
