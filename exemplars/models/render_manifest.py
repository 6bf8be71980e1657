"""`data/training/base.json`: what chat rows were rendered for, and how."""

from __future__ import annotations

import msgspec

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.base_models import Base
from exemplars.models.calls import CallFormat


class RenderManifest(msgspec.Struct, frozen=True):
    """The model whose template and tokenizer rows have, and the forms in them."""

    base: Base
    name: str
    sha256: str
    license: str
    call_format: CallFormat
    tools: str
    template_sha256: str
    vocabulary: int


def read_render_manifest() -> RenderManifest:
    """How the rows were rendered. Raises `UserError` where that is missing or damaged."""
    path = layout.TRAINING_BASE
    try:
        return msgspec.json.decode(path.read_bytes(), type=RenderManifest)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise UserError(
            [
                Diagnostic(
                    path=str(path),
                    code="not_rendered",
                    found=found,
                    expected="what `render` writes",
                    fix="run `dvc repro render`",
                )
            ]
        ) from None
