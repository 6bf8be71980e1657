"""A tiny retriever that is trained in the test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exemplars.core.records import Exemplar, Template
from exemplars.dataset.catalog import Skill
from exemplars.models.base_models import FolderBase
from stages.train.params import Precision, RunParams, Shared
from stages.train.recipe_params import Retriever
from stages.train.retriever.inputs import RetrieverInput
from stages.train.retriever.run import train_retriever
from stages.train.run import TrainedRun, keep_run
from tests.models.tagger.rows import ROWS, SKILLS
from tests.tiny import save_tiny_encoder


def make_params(shared: dict[str, Any], **changes: Any) -> RunParams:
    """Make the parameters of a retriever on the tiny encoder, which is written into the working folder."""
    if not Path("encoder").exists():
        save_tiny_encoder(Path("encoder"))
    encoder = FolderBase(path="encoder", license="MIT")
    options = {"learning_rate": 3e-3, "steps": 5, "batch_skills": 3, "max_tokens": 48, **changes}
    recipe = Retriever(encoder=encoder, **options)
    return RunParams("retriever", recipe, Shared(**{"precision": Precision.FP32, **shared}))


def train_tiny(
    rows: Sequence[Exemplar] = ROWS,
    skills: Sequence[Skill] = SKILLS,
    templates: Sequence[Template] = (),
    shared: dict[str, Any] | None = None,
    **changes: Any,
) -> tuple[TrainedRun, Path]:
    """Train in the working folder, validate on the same rows, and return the run and its folder."""
    Path(".dvc").mkdir(exist_ok=True)  # The root of a project.
    data = RetrieverInput(skills, rows, rows, templates)
    trained = train_retriever(make_params(shared or {}, **changes), data, Path("models"))
    keep_run(trained, Path("models/retriever"))
    return trained, Path("models/retriever")
