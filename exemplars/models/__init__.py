"""Language models: base models, chat templates, chat rows, calls as text, manifests.

`prompt` and `parse` are what an application needs to ask a trained model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exemplars.models.app_interface import parse as parse
    from exemplars.models.app_interface import prompt as prompt


def __getattr__(name: str) -> Any:
    """Import `prompt` or `parse` when it is used: no stage needs them."""
    if name not in ("parse", "prompt"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from exemplars.models import app_interface

    return getattr(app_interface, name)
