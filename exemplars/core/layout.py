"""Where the stages' files stand, relative to the project's root: the names that `dvc.yaml` has too."""

from __future__ import annotations

from pathlib import Path
from typing import Final

WORKERS_VARIABLE: Final = "EXEMPLARS_WORKERS"
"""The environment variable with the number of worker processes; 0 or unset: one a core."""

ERASURES: Final = Path("data/raw/erasures.jsonl")
RECORDS: Final = Path("data/records")
EXEMPLARS: Final = Path("data/exemplars/exemplars.parquet")
CATALOG: Final = Path("data/exemplars/catalog.json")
CURATED: Final = Path("data/curated/exemplars.parquet")
PAIRS: Final = CURATED.with_name("pairs.parquet")
SPEECH: Final = CURATED.with_name("speech.parquet")
REVIEW: Final = CURATED.with_name("review.parquet")
REPRESENTATIVENESS: Final = CURATED.with_name("representativeness.json")
SPLITS: Final = Path("data/splits")
MANIFEST: Final = SPLITS / "manifest.json"
TRAINING: Final = Path("data/training")
TRAINING_BASE: Final = TRAINING / "base.json"
PREDICTIONS: Final = Path("data/evaluated/predictions.parquet")
MODELS: Final = Path("models")
REPORTS: Final = Path("reports")


def records(source: str) -> Path:
    """The records of a source."""
    return RECORDS / f"{source}.parquet"


def record_rejections(source: str) -> Path:
    """The records of a source that its reader could not take."""
    return RECORDS / f"{source}.rejections.parquet"


def source_catalog(source: str) -> Path:
    """The skills that a source brings."""
    return RECORDS / f"{source}.catalog.json"


def source_recognizers(source: str) -> Path:
    """The recognizers that a source brings."""
    return RECORDS / f"{source}.recognizers.json"


def ledger_path(kept: Path) -> Path:
    """The ledger beside a stage's table."""
    return kept.with_name("rejections.parquet")


def split_speech() -> Path:
    """The speech views of the rows of splits."""
    return SPLITS / "speech.parquet"


def split(name: str) -> Path:
    """The rows of a split."""
    return SPLITS / f"{name}.parquet"


def training(name: str) -> Path:
    """The chat rows of a split."""
    return TRAINING / f"{name}.parquet"


def model(recipe: str) -> Path:
    """What training by a recipe made: weights and manifest."""
    return MODELS / recipe


def report(stage: str) -> Path:
    """The metrics of a stage."""
    return REPORTS / f"{stage}.json"


def plot(stage: str, name: str) -> Path:
    """The data points of one of a stage's plots."""
    return REPORTS / "plots" / f"{stage}-{name}.json"


def lexicon(folder: str, name: str) -> Path:
    """A lexicon."""
    return Path(folder) / f"{name}.json"


def expectations(suite: str) -> Path:
    """An expectation suite."""
    return Path("schemas/expectations") / f"{suite}.json"
