"""The section `compile` of `params.yaml`."""

from __future__ import annotations

import msgspec


class CompileParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which sources make up the data set, and what recognizes their values."""

    sources: tuple[str, ...]
    recognizers: str
    """A file of recognizers, beside those that the sources bring."""
