"""Paths of the stages' files, relative to the project's root: the same names as in `dvc.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

WORKERS_VARIABLE: Final = "EXEMPLARS_WORKERS"
"""The environment variable with the number of worker processes; 0 or unset: one per core."""

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
    """Return the path of the records of a source."""
    return RECORDS / f"{source}.parquet"


def record_rejections(source: str) -> Path:
    """Return the path of the rejections of a source's reader."""
    return RECORDS / f"{source}.rejections.parquet"


def source_catalog(source: str) -> Path:
    """Return the path of the skills that a source declares."""
    return RECORDS / f"{source}.catalog.json"


def source_recognizers(source: str) -> Path:
    """Return the path of the recognizers that a source declares."""
    return RECORDS / f"{source}.recognizers.json"


def ledger_path(kept: Path) -> Path:
    """Return the path of the ledger that belongs to a stage's table of kept rows."""
    return kept.with_name("rejections.parquet")


def split_speech() -> Path:
    """Return the path of the speech views of all splits."""
    return SPLITS / "speech.parquet"


def split(name: str) -> Path:
    """Return the path of the rows of a split."""
    return SPLITS / f"{name}.parquet"


def training(name: str) -> Path:
    """Return the path of the chat rows of a split."""
    return TRAINING / f"{name}.parquet"


def model(recipe: str) -> Path:
    """Return the folder of a recipe's trained model: its weights and manifest."""
    return MODELS / recipe


def report(stage: str) -> Path:
    """Return the path of a stage's metrics."""
    return REPORTS / f"{stage}.json"


def plot(stage: str, name: str) -> Path:
    """Return the path of the data points of one of a stage's plots."""
    return REPORTS / "plots" / f"{stage}-{name}.json"


def lexicon(folder: str, name: str) -> Path:
    """Return the path of a lexicon in a folder of lexicons."""
    return Path(folder) / f"{name}.json"


def expectations(suite: str) -> Path:
    """Return the path of an expectation suite."""
    return Path("schemas/expectations") / f"{suite}.json"
