"""Archives of real data, which are not part of the project: at the path in a variable, or next to the project."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path


def find_file(variable: str, default: Path) -> Path | None:
    """Return the path of an archive, or `None` if it is missing. variable: of the environment, with its path."""
    path = Path(os.environ.get(variable, default))
    return path if path.is_file() else None


def unpack_file(path: Path | None, folder: Path, missing: str) -> None:
    """Unpack an archive. Raises `FileNotFoundError` with the message `missing` without one."""
    if path is None:
        raise FileNotFoundError(missing)
    with tarfile.open(path) as archive:
        # Python before 3.11.4 has no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
