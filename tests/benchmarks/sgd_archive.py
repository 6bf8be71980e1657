"""The dialogues that benchmarks run on: the real SGD archive, or the small default data."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DEFAULT = PROJECT.parent / "shared" / "sgd" / "sgd.tar.xz"
SMALL = PROJECT / "data/raw/sgd"
"""Dialogues in the same format, to check that every benchmark still runs."""
MISSING = "no SGD data: put sgd.tar.xz where SGD_ARCHIVE says, or pass --small"


def find_archive() -> Path | None:
    """Return the path of the archive, or `None` if it is missing."""
    path = Path(os.environ.get("SGD_ARCHIVE", DEFAULT))
    return path if path.is_file() else None


def unpack_archive(folder: Path) -> Path:
    """Unpack the archive; return the folder that holds `train`, `dev` and `test`."""
    path = find_archive()
    if path is None:
        raise FileNotFoundError(MISSING)
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    return folder / "sgd"


def find_dialogues(folder: Path, small: bool) -> Path | None:
    """Return the folder of the dialogues to measure, or `None` if there is no archive."""
    if small:
        return SMALL
    return None if find_archive() is None else unpack_archive(folder)


def make_project(folder: Path, data: Path) -> Path:
    """Make a folder in which the stages run on `data`: the code of this project, with other parameters."""
    for name in ("exemplars", "stages", "schemas"):
        shutil.copytree(PROJECT / name, folder / name)
    shutil.copy(PROJECT / "dvc.yaml", folder / "dvc.yaml")
    params = (PROJECT / "params.yaml").read_text("utf-8")
    params = params.replace("path: data/raw/sgd\n", f"path: {data}\n")
    params = params.replace("sources: [bots, labelled, sgd, skills]", "sources: [sgd]")
    (folder / "params.yaml").write_text(params, "utf-8")
    return folder
