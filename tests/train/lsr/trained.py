"""A tiny retriever that learns from a tiny language model in the test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exemplars.core.records import Exemplar
from exemplars.models.base_models import FolderBase
from stages.train.lsr.run import train_lsr
from stages.train.params import Precision, RunParams, Shared
from stages.train.recipe_params import Lsr
from stages.train.retriever.inputs import RetrieverInput
from stages.train.run import TrainedRun, keep_run
from tests.models.tagger.rows import ROWS, SKILLS
from tests.tiny import save_tiny, save_tiny_encoder


def train_tiny(rows: Sequence[Exemplar] = ROWS, **changes: Any) -> tuple[TrainedRun, Path]:
    """Train in the working folder, into which the models are written, and return the run and its folder."""
    Path(".dvc").mkdir(exist_ok=True)  # The root of a project.
    for name, save in (("encoder", save_tiny_encoder), ("generator", save_tiny)):
        if not Path(name).exists():
            save(Path(name))
    recipe = Lsr(
        encoder=FolderBase(path="encoder", license="MIT"),
        generator=FolderBase(path="generator", license="MIT"),
        **{"learning_rate": 3e-3, "epochs": 5, "batch_rows": 4, "candidates": 3, "max_tokens": 48, **changes},
    )
    shared = Shared(precision=Precision.FP32, log_every=1, checkpoint_every=2)
    params = RunParams("lsr", recipe, shared)
    trained = train_lsr(params, RetrieverInput(SKILLS, rows, rows), Path("models"))
    keep_run(trained, Path("models/lsr"))
    return trained, Path("models/lsr")
