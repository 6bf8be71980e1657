"""The section `compile` of `params.yaml`."""

from __future__ import annotations

import msgspec

from exemplars.core import layout
from exemplars.core.names import Name


class CompileParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sources of the dataset, and the recognizers of their values."""

    sources: tuple[Name, ...] = ()
    """The sources of the dataset, each of which is under ingest.sources. An empty list: all of them."""
    recognizers: str = layout.RECOGNIZERS
    """Recognizers that skills may name, in addition to those that the sources define."""
