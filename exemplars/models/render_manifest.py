"""`data/training/base.json`: the model that chat rows were rendered for, and the format of their calls."""

from __future__ import annotations

import msgspec

from exemplars.core import layout
from exemplars.core.files import read_json
from exemplars.models.base_models import Base
from exemplars.models.calls import CallFormat


class RenderManifest(msgspec.Struct, frozen=True):
    """The base model whose chat template and tokenizer were used, and the format of calls and tools."""

    base: Base
    name: str
    sha256: str
    license: str
    call_format: CallFormat
    tools: str
    template_sha256: str
    vocabulary: int


def read_render_manifest() -> RenderManifest:
    """Read the manifest of the rendered rows. Raises `UserError` if it is missing or damaged."""
    return read_json(
        layout.TRAINING_BASE,
        RenderManifest,
        code="not_rendered",
        expected="the manifest that `render` writes",
        fix="run `dvc repro render`",
    )
