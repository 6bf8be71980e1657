"""The types of the sections of `params.yaml`, imported only by the commands that need them."""

from __future__ import annotations

import msgspec

from exemplars.core.params import SECTIONS


def load_section_types() -> dict[str, type[msgspec.Struct]]:
    """Import the type of each section, in the order of `SECTIONS`."""
    # Imported here: what checks parameters would slow down every other command.
    from exemplars.core.preflight import load_section_type

    return {name: load_section_type(name) for name in SECTIONS}
