"""The dialogues that benchmarks run on: the real SGD archive, or the small default data."""

from __future__ import annotations

import shutil
from pathlib import Path

from archives import find_file, unpack_file

PROJECT = Path(__file__).parents[2]
DEFAULT = PROJECT.parent / "shared" / "sgd" / "sgd.tar.xz"
SMALL = PROJECT / "data/raw/sgd"
"""Dialogues in the same format, to check that every benchmark still runs."""
MISSING = "no SGD data: put sgd.tar.xz where SGD_ARCHIVE says, or pass --small"


def find_archive() -> Path | None:
    """Return the path of the archive, or `None` if it is missing."""
    return find_file("SGD_ARCHIVE", DEFAULT)


def unpack_archive(folder: Path) -> Path:
    """Unpack the archive; return the folder that holds `train`, `dev` and `test`."""
    unpack_file(find_archive(), folder, MISSING)
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
    params = params.replace("sources: [bots, generated, labelled, sgd, skills]", "sources: [sgd]")
    (folder / "params.yaml").write_text(params, "utf-8")
    return folder
