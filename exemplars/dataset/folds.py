"""Folds: parts of the rows that no group is torn apart by, for models that answer rows which they have not seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from exemplars.core.digests import hash_to_fraction

_SALT: Final = "folds"


def number_folds(groups: Iterable[str], folds: int) -> dict[str, int]:
    """Number the fold of each group, from 0: as many groups in each, or one more, in the order of a stable hash.

    >>> number_folds(["a", "b", "a", "c"], 2)
    {'c': 0, 'a': 1, 'b': 0}
    """
    ordered = sorted(set(groups), key=lambda group: (hash_to_fraction(group, _SALT), group))
    return {group: place % folds for place, group in enumerate(ordered)}
