"""`data/training/base.json`: the model that chat rows were rendered for, and the style of their prompts."""

from __future__ import annotations

import msgspec

from exemplars.core import layout
from exemplars.core.files import read_json
from exemplars.models.base_models import Base
from exemplars.models.calls import CallFormat
from exemplars.models.prompting import DEFAULT_INSTRUCTION, PromptStyle, ToolForm
from exemplars.models.targets import Values


class RenderManifest(msgspec.Struct, frozen=True):
    """The base model whose chat template and tokenizer were used, and the style of the prompts."""

    base: Base
    name: str
    sha256: str
    license: str
    call_format: CallFormat
    tools: ToolForm
    template_sha256: str
    vocabulary: int
    instruction: str = DEFAULT_INSTRUCTION
    context_turns: int = 2
    values: Values = Values.SPOKEN
    """How right calls write a value that the utterance says."""

    @property
    def style(self) -> PromptStyle:
        """How the prompts are written."""
        return PromptStyle(self.call_format, self.tools, self.instruction, self.context_turns)


def read_render_manifest() -> RenderManifest:
    """Read the manifest of the rendered rows. Raises `UserError` if it is missing or damaged."""
    return read_json(
        layout.TRAINING_BASE,
        RenderManifest,
        code="not_rendered",
        expected="the manifest that `render` writes",
        fix="run `dvc repro render`",
    )
