"""The section `split` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from exemplars.core.ids import SplitName

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Official(StrEnum):
    """What to do with the splits that a source prescribes."""

    KEEP = "keep"
    REHASH = "rehash"


class Ratios(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of the groups that each split gets; they sum to 1."""

    train: Share
    validation: Share
    test: Share

    def __post_init__(self) -> None:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"Expected shares that sum to 1, got a sum of {total:g}")


class Leaks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a train row counts as leaked."""

    context_turns: Annotated[int, msgspec.Meta(ge=0)] = 0


class SplitParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How groups are assigned to splits."""

    ratios: Ratios
    salt: str
    official: Official
    leaks: Leaks = Leaks()
    speech: tuple[SplitName, ...] = ("test",)
