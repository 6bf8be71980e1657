"""Where the real SGD data is: an archive beside the project, or where SGD_ARCHIVE says."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DEFAULT = PROJECT.parent / "shared" / "sgd" / "sgd.tar.xz"


def archive() -> Path | None:
    """The archive, or null where there is none."""
    path = Path(os.environ.get("SGD_ARCHIVE", DEFAULT))
    return path if path.is_file() else None


def unpack(folder: Path) -> Path:
    """Unpack the archive into a folder; answer the folder that holds train, dev and test."""
    path = archive()
    if path is None:
        raise FileNotFoundError(f"no archive at {DEFAULT} and none named by SGD_ARCHIVE")
    with tarfile.open(path) as packed:
        packed.extractall(folder, filter="data")
    return folder / "sgd"


def project(folder: Path, data: Path) -> Path:
    """A folder in which the stages run on `data`: the project's code, with changed parameters alone."""
    shutil.copytree(PROJECT / "stages", folder / "stages")
    shutil.copytree(PROJECT / "schemas", folder / "schemas")
    params = (PROJECT / "params.yaml").read_text("utf-8")
    params = params.replace("path: data/raw/sgd\n", f"path: {data}\n")
    params = params.replace("sources: [bots, labelled, sgd, skills]", "sources: [sgd]")
    (folder / "params.yaml").write_text(params, "utf-8")
    return folder
