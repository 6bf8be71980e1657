"""The section `split` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

import msgspec

SPLITS: Final = ("train", "validation", "test")


class Official(StrEnum):
    """What becomes of the splits that a source prescribes."""

    KEEP = "keep"
    REHASH = "rehash"


class Ratios(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of the groups that each split gets; they sum to 1."""

    train: float
    validation: float
    test: float

    def __post_init__(self) -> None:
        shares = (self.train, self.validation, self.test)
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
            raise ValueError(f"Expected shares of at least 0 that sum to 1, got a sum of {sum(shares):g}")


class Leaks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a train row counts as leaked."""

    context_turns: int = 0


class SplitParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How groups are assigned to splits."""

    ratios: Ratios
    salt: str
    official: Official
    leaks: Leaks = Leaks()
    speech: tuple[Literal["train", "validation", "test"], ...] = ("test",)
