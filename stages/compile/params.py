"""The section `compile` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from exemplars.core import layout
from exemplars.core.names import Name


class OnSameSkill(StrEnum):
    """What to do if two sources define a skill differently."""

    FAIL = "fail"
    UNION = "union"
    """Unite the parameters: those that only one source has are optional."""


class CompileParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sources of the dataset, and the recognizers of their values."""

    sources: tuple[Name, ...] = ()
    """The sources of the dataset, each of which is under ingest.sources. An empty list: all of them."""
    recognizers: str = layout.RECOGNIZERS
    """Recognizers that skills may name, in addition to those that the sources define."""
    same_skill: OnSameSkill = OnSameSkill.FAIL
    """What a skill that two sources define differently does. fail: it stops the stage; union: it has the parameters
    of both, and those that only one of them has are optional."""
