"""Real data of other tools that benchmarks and tests run on; docs/formats/nlu.md says what is in the archive."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DEFAULT = PROJECT.parent / "shared" / "real" / "real.tar.xz"
MISSING = "no real data: put real.tar.xz where REAL_ARCHIVE says (see docs/formats/nlu.md)"


def find_archive() -> Path | None:
    """Return the path of the archive, or `None` if it is missing."""
    path = Path(os.environ.get("REAL_ARCHIVE", DEFAULT))
    return path if path.is_file() else None


def unpack_archive(folder: Path) -> Path:
    """Unpack the archive; return its folder, with a folder for each dataset."""
    path = find_archive()
    if path is None:
        raise FileNotFoundError(MISSING)
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    return folder / "real"
