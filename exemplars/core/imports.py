"""Keeping heavy optional packages from being imported by packages that use them if they are installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder


class _Missing(MetaPathFinder):
    """A finder for which some packages are not installed."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Raise `ModuleNotFoundError` for the hidden packages; leave other names to the next finder."""
        if name.partition(".")[0] in self._packages:
            raise ModuleNotFoundError(f"{name} is hidden", name=name)


@contextmanager
def hide_packages(*packages: str) -> Iterator[None]:
    """Make imports of these packages fail within the block, as if they were not installed.

    Use it around the import of a package that would spend seconds on importing optional ones. What is
    imported within the block does without them for the rest of the process; importing them later works.
    Packages that were imported before the block stay available.
    """
    finder = _Missing(packages)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
