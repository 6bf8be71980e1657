"""The section `compile` of `params.yaml`."""

from __future__ import annotations

import msgspec

from exemplars.core.names import Name


class CompileParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sources of the dataset, and the recognizers of their values."""

    sources: tuple[Name, ...]
    recognizers: str
    """A file of recognizers, in addition to those that the sources declare."""
