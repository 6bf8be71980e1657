"""Real data of other tools that benchmarks and tests run on; docs/formats/nlu.md says what is in the archive."""

from __future__ import annotations

from pathlib import Path

from archives import find_file, unpack_file

PROJECT = Path(__file__).parents[2]
DEFAULT = PROJECT.parent / "shared" / "real" / "real.tar.xz"
MISSING = "no real data: put real.tar.xz where REAL_ARCHIVE says (see docs/formats/nlu.md)"


def find_archive() -> Path | None:
    """Return the path of the archive, or `None` if it is missing."""
    return find_file("REAL_ARCHIVE", DEFAULT)


def unpack_archive(folder: Path) -> Path:
    """Unpack the archive; return its folder, with a folder for each dataset."""
    unpack_file(find_archive(), folder, MISSING)
    return folder / "real"
