"""The section `render` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from exemplars.models.base_models import Base
from exemplars.models.calls import CallFormat
from exemplars.models.rows import View


class ToolForm(StrEnum):
    """How tools stand in a prompt."""

    COMPACT = "compact"
    """One line a tool in the system message: `weather(location, unit=celsius|kelvin)`."""
    TEMPLATE = "template"
    """As the base model's chat template writes its `tools`."""


class Values(StrEnum):
    """What a call holds of a value that the utterance says."""

    SPOKEN = "spoken"
    """The text as said, for a recognizer to make canonical; numbers and listed values as they are."""
    CANONICAL = "canonical"
    """The canonical value."""


class MaxRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most so many exemplars of each split, by stable hash; null: all."""

    train: int | None = None
    validation: int | None = None
    test: int | None = None

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if (most := getattr(self, name)) is not None and most < 1:
                raise ValueError(f"Expected at least 1 row or null, got {name} {most}")


class RenderParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How exemplars become chat rows."""

    base: Base
    views: tuple[View, ...]
    call_format: CallFormat
    tools: ToolForm
    values: Values
    context_turns: int
    distractors: int
    rows_a_list: int
    without_tool: float
    max_none_share: float
    max_tokens: int
    max_rows: MaxRows
    salt: str
    instruction: str

    def __post_init__(self) -> None:
        if not self.views:
            raise ValueError("Expected at least one view, got none")
        for name in ("without_tool", "max_none_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"Expected a share from 0 to 1, got {name} {getattr(self, name):g}")
        for name, least in (("context_turns", 0), ("distractors", 0), ("rows_a_list", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"Expected at least {least}, got {name} {getattr(self, name)}")
