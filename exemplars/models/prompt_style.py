"""How prompts of language models are written. Imports nothing heavy: manifests have it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from exemplars.models.calls import CallFormat

DEFAULT_INSTRUCTION: Final = "Call one tool, or answer None."
FALLBACK_TOOLS: Final = 5
"""Number of tools in a prompt about the whole catalog, if neither a parameter nor a retriever says how many."""


class ToolForm(StrEnum):
    """How a prompt shows tools."""

    COMPACT = "compact"
    """One line per tool in the system message: `weather(location, unit=celsius|kelvin)`."""
    TEMPLATE = "template"
    """As the base model's chat template writes its `tools`."""


class ToolSource(StrEnum):
    """Where the tools of a prompt come from, in addition to those that are needed."""

    RANDOM = "random"
    BM25 = "bm25"
    """Those whose descriptions and train rows have most words in common with the turn."""
    RETRIEVER = "retriever"
    """Those that the trained retriever in models/retriever ranks best."""
    TAGGER = "tagger"
    """Those that the trained tagger in models/tagger finds likeliest."""


class CandidateSource(StrEnum):
    """Where the candidate values of a prompt come from."""

    NONE = "none"
    RECOGNIZER = "recognizer"
    """The times, dates and numbers of the conversation, and the words that recognizers list."""
    TAGGER = "tagger"
    """The words that the trained tagger in models/tagger marks, each with its argument."""


class Values(StrEnum):
    """How a call writes a value that the utterance says."""

    SPOKEN = "spoken"
    """As the utterance says it, for a recognizer to normalize later; numbers and listed values are canonical."""
    CANONICAL = "canonical"


class PromptStyle(msgspec.Struct, frozen=True):
    """How prompts are written, and the calls that answer them."""

    call_format: CallFormat = CallFormat.PYTHON
    tools: ToolForm = ToolForm.COMPACT
    instruction: str = DEFAULT_INSTRUCTION
    """The first line of the system message; empty: none."""
    context_turns: int = 2
    """Maximum number of preceding turns."""
    values: Values = Values.SPOKEN
    """How a call writes a value that is said, and so how candidates are shown."""
    tools_from: ToolSource = ToolSource.RANDOM
    candidates: CandidateSource = CandidateSource.NONE
