"""Paths of the stages' files, relative to the project's root: the same names as in `dvc.yaml`."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Final

PACKAGED_SCHEMAS: Final = Path(str(files("exemplars") / "schemas"))
"""The folder of the package's recognizers, lexicons and expectations."""

WORKERS_VARIABLE: Final = "EXEMPLARS_WORKERS"
"""The environment variable with the number of worker processes; 0 or unset: one per core."""
EXECUTOR_VARIABLE: Final = "EXEMPLARS_EXECUTOR"
"""The environment variable that says where shards run: `local` or unset, in processes of this machine; `ray`."""

SCHEMAS: Final = "schemas"
"""The folder of a project's own recognizers, lexicons and expectations; what it does not have is the package's."""
RECOGNIZERS: Final = f"{SCHEMAS}/recognizers.json"
LEXICONS: Final = f"{SCHEMAS}/lexicons"
EXPECTATIONS: Final = f"{SCHEMAS}/expectations"
ERASURES: Final = Path("data/raw/erasures.jsonl")
RAW_PREFERENCES: Final = Path("data/raw/preferences.jsonl")
"""Pairs of answers, and labeled answers, as people and models gave them."""
REVIEWS: Final = Path("data/raw/reviews.jsonl")
"""The decisions of people on rows: see `exemplars.core.reviews`."""
LOGS: Final = (ERASURES, RAW_PREFERENCES, REVIEWS)
"""The files of a project that stages depend on, and that are empty at first."""
AGAINST: Final = Path("data/raw/against")
"""The test sets of other people, a folder each."""
RECORDS: Final = Path("data/records")
EXEMPLARS: Final = Path("data/exemplars/exemplars.parquet")
TEMPLATES: Final = EXEMPLARS.with_name("templates.parquet")
"""The templates without values, which retrieval indexes in addition to the exemplars."""
EDITS: Final = EXEMPLARS.with_name("edits.parquet")
"""The edits of reviewers, with the digests of the rows before and after."""
COMPILED: Final = (EXEMPLARS, EXEMPLARS.with_name("rejections.parquet"), TEMPLATES)
"""The tables among which `compile` divides the records."""
CATALOG: Final = Path("data/exemplars/catalog.json")
LEXICON: Final = CATALOG.with_name("recognizers.json")
"""The recognizers with lists, of the project and of its sources."""
CURATED: Final = Path("data/curated/exemplars.parquet")
PAIRS: Final = CURATED.with_name("pairs.parquet")
SPEECH: Final = CURATED.with_name("speech.parquet")
REVIEW: Final = CURATED.with_name("review.parquet")
REPRESENTATIVENESS: Final = CURATED.with_name("representativeness.json")
SPLITS: Final = Path("data/splits")
MANIFEST: Final = SPLITS / "manifest.json"
TRAINING: Final = Path("data/training")
TRAINING_BASE: Final = TRAINING / "base.json"
PREFERENCES: Final = Path("data/preferences")
PREFERENCE_REJECTIONS: Final = PREFERENCES / "rejections.parquet"
PREDICTIONS: Final = Path("data/evaluated/predictions.parquet")
MODELS: Final = Path("models")
REPORTS: Final = Path("reports")


def is_url(path: str) -> bool:
    """Return whether the path of a source is a URL.

    >>> is_url("s3://bucket/dialogues"), is_url("data/raw/sgd")
    (True, False)
    """
    return "://" in path


def normalize_folder(path: str) -> str:
    """Return a folder, which may be a URL, without what makes no difference: slashes at its end, `.` in between."""
    return path.rstrip("/") if is_url(path) else Path(path).as_posix()


def join_path(folder: str, name: str) -> str:
    """Join a folder, which may be a URL, and the path of a file in it.

    >>> join_path("s3://bucket/dialogues/", "train/dialogues_001.json")
    's3://bucket/dialogues/train/dialogues_001.json'
    """
    return f"{normalize_folder(folder)}/{name}" if is_url(folder) else (Path(folder) / name).as_posix()


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


def preferences(name: str) -> Path:
    """Return the path of the rendered preferences of a split: `train` or `validation`."""
    return PREFERENCES / f"{name}.parquet"


def model(recipe: str) -> Path:
    """Return the folder of a recipe's trained model: its weights and manifest."""
    return MODELS / recipe


def report(stage: str) -> Path:
    """Return the path of a stage's metrics: the few figures that `dvc metrics diff` compares."""
    return REPORTS / f"{stage}.json"


def train_plots(recipe: str) -> Path:
    """Return the folder with the losses of a run."""
    return REPORTS / "train" / recipe


def system_report(condition: str, system: str) -> Path:
    """Return the path of the metrics of a system that was evaluated under a condition."""
    return REPORTS / "evaluate" / condition / f"{system}.json"


def details(stage: str) -> Path:
    """Return the path of all that a stage reports: also by skill, slice and reason."""
    return REPORTS / "details" / f"{stage}.json"


def plot(stage: str, name: str) -> Path:
    """Return the path of the data points of one of a stage's plots."""
    return REPORTS / "plots" / f"{stage}-{name}.json"


def lexicon(folder: str, name: str) -> Path:
    """Return the path of a lexicon in a folder of lexicons: the project's file, or else the package's."""
    return find_schema(f"{folder}/{name}.json")


def expectations(suite: str) -> Path:
    """Return the path of an expectation suite: the project's file, or else the package's."""
    return find_schema(f"{EXPECTATIONS}/{suite}.json")


def find_schema(path: str) -> Path:
    """Find a file of `schemas/`: the project's own, or else the package's. A path elsewhere is returned as it is."""
    packaged = (
        PACKAGED_SCHEMAS / Path(path).relative_to(SCHEMAS) if Path(path).is_relative_to(SCHEMAS) else None
    )
    if packaged is None or os.path.lexists(path) or not packaged.is_file():
        return Path(path)
    return packaged
