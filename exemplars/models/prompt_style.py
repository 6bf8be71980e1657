"""How prompts of language models are written. Imports nothing heavy: manifests have it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from exemplars.models.calls import CallFormat

DEFAULT_INSTRUCTION: Final = "Call one tool, or answer None."


class ToolForm(StrEnum):
    """How a prompt shows tools."""

    COMPACT = "compact"
    """One line per tool in the system message: `weather(location, unit=celsius|kelvin)`."""
    TEMPLATE = "template"
    """As the base model's chat template writes its `tools`."""


class PromptStyle(msgspec.Struct, frozen=True):
    """How prompts are written, and the calls that answer them."""

    call_format: CallFormat = CallFormat.PYTHON
    tools: ToolForm = ToolForm.COMPACT
    instruction: str = DEFAULT_INSTRUCTION
    """The first line of the system message; empty: none."""
    context_turns: int = 2
    """Maximum number of preceding turns."""
