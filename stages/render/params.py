"""The section `render` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from exemplars.models.base_models import Base
from exemplars.models.calls import CallFormat
from exemplars.models.rows import View

NonNegativeInt = Annotated[int, msgspec.Meta(ge=0)]
PositiveInt = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ToolForm(StrEnum):
    """How a prompt shows tools."""

    COMPACT = "compact"
    """One line per tool in the system message: `weather(location, unit=celsius|kelvin)`."""
    TEMPLATE = "template"
    """As the base model's chat template writes its `tools`."""


class Values(StrEnum):
    """How a call writes a value that the utterance says."""

    SPOKEN = "spoken"
    """As the utterance says it, for a recognizer to normalize later; numbers and listed values are canonical."""
    CANONICAL = "canonical"


class MaxRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Maximum number of exemplars per split, sampled by stable hash; `None`: all."""

    train: PositiveInt | None = None
    validation: PositiveInt | None = None
    test: PositiveInt | None = None


class RenderParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How exemplars become chat rows."""

    base: Base
    views: Annotated[tuple[View, ...], msgspec.Meta(min_length=1)]
    call_format: CallFormat
    tools: ToolForm
    values: Values
    context_turns: NonNegativeInt
    distractors: NonNegativeInt
    rows_a_list: PositiveInt
    without_tool: Share
    max_none_share: Share
    max_tokens: PositiveInt
    max_rows: MaxRows
    salt: str
    instruction: str
