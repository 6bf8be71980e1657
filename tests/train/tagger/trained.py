"""A tiny tagger that is trained in the test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exemplars.core.records import Exemplar
from exemplars.dataset.catalog import Skill
from exemplars.models.base_models import FolderBase
from stages.train.params import Precision, RunParams, Shared
from stages.train.recipe_params import Tagger
from stages.train.run import TrainedRun, keep_run
from stages.train.tagger.rows import TaggerInput
from stages.train.tagger.run import train_tagger
from tests.models.tagger.rows import ROWS, SKILLS
from tests.tiny import save_tiny_encoder


def make_params(epochs: int, shared: dict[str, Any], **changes: Any) -> RunParams:
    """Make the parameters of a tagger on the tiny encoder, which is written into the working folder."""
    if not Path("encoder").exists():
        save_tiny_encoder(Path("encoder"))
    recipe = Tagger(
        encoder=FolderBase(path="encoder", license="MIT"),
        epochs=epochs,
        learning_rate=3e-3,
        head_learning_rate=1e-2,
        batch_rows=4,
        **{"max_tokens": 48, **changes},
    )
    return RunParams("tagger", recipe, Shared(**{"precision": Precision.FP32, **shared}))


def train_tiny(
    epochs: int = 2,
    rows: Sequence[Exemplar] = ROWS,
    skills: Sequence[Skill] = SKILLS,
    shared: dict[str, Any] | None = None,
    **changes: Any,
) -> tuple[TrainedRun, Path]:
    """Train in the working folder, validate on the same rows, and return the run and its folder."""
    Path(".dvc").mkdir(exist_ok=True)  # The root of a project.
    params = make_params(epochs, shared or {}, **changes)
    trained = train_tagger(params, TaggerInput(skills, rows, rows), Path("models"))
    keep_run(trained, Path("models/tagger"))
    return trained, Path("models/tagger")
