"""Heavy packages that another package imports and that nobody needs here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder


class _Missing(MetaPathFinder):
    """An import of these packages finds none."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Raise `ImportError` for these packages; answer nothing for other names, which others then find."""
        if name.partition(".")[0] in self._packages:
            raise ModuleNotFoundError(f"{name} is left out", name=name)


@contextmanager
def hide_packages(*packages: str) -> Iterator[None]:
    """While this is open, packages that were not imported before seem not to be installed.

    For imports of packages that use these where they are, and take seconds to look. What is imported
    meanwhile does without them for the rest of the process; others can import them afterwards.
    """
    finder = _Missing(packages)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
