"""`data/training/base.json`: the model that chat rows were rendered for, and the style of their prompts.

The tables of chat rows have the same in the metadata of their schema: who reads the rows needs no other file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_json
from exemplars.models.base_models import Base
from exemplars.models.calls import CallFormat
from exemplars.models.prompt_style import (
    DEFAULT_INSTRUCTION,
    CandidateSource,
    PromptStyle,
    ToolForm,
    ToolSource,
    Values,
)

_KEY: Final = b"exemplars.render"
_CODE: Final = "not_rendered"
_EXPECTED: Final = "the manifest that `render` writes"
_FIX: Final = "run `dvc repro render`"


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
    tools_from: ToolSource = ToolSource.RANDOM
    candidates: CandidateSource = CandidateSource.NONE

    @property
    def style(self) -> PromptStyle:
        """How the prompts are written."""
        return msgspec.convert(self, PromptStyle, from_attributes=True)


def attach_manifest(table: pa.Table, manifest: RenderManifest) -> pa.Table:
    """Attach the manifest to a table of chat rows, as metadata of its schema."""
    return table.replace_schema_metadata({_KEY: msgspec.json.encode(manifest)})


def get_attached_manifest(table: pa.Table, path: Path) -> RenderManifest:
    """Return the manifest that is attached to a table of chat rows.

    path: of the table, for messages. Raises `UserError` if it has no manifest of this version.
    """
    data = (table.schema.metadata or {}).get(_KEY, b"")
    try:
        return msgspec.json.decode(data, type=RenderManifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = Diagnostic(
            path=str(path),
            code=_CODE,
            found=str(error) if data else "no manifest in the metadata of its schema",
            expected=_EXPECTED,
            fix=_FIX,
        )
        raise UserError([problem]) from None


def read_render_manifest() -> RenderManifest:
    """Read the manifest of the rendered rows. Raises `UserError` if it is missing or damaged."""
    return read_json(
        layout.TRAINING_BASE,
        RenderManifest,
        code=_CODE,
        expected=_EXPECTED,
        fix=_FIX,
    )
