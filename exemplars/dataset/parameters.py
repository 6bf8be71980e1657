"""A parameter of a skill: what its values are, and who writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from exemplars.core.literals import PYTHON_TYPES
from exemplars.core.records import DONTCARE
from exemplars.dataset.json_schemas import admits_null

SPAN: Final = "span"
COMPOSED: Final = "composed"
"""What `x-filled-by` may say: a text of the utterance, a text that the model writes, or the name of a recognizer."""
TYPES: Final = tuple(PYTHON_TYPES)
"""The JSON types of literals."""


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a skill."""

    name: str
    description: str = ""
    type: str | None = "string"
    """One of `TYPES`, `array` or `object`; `None` accepts any literal, or what `schema` says."""
    enum: tuple[str, ...] = ()
    """The values that are accepted, as text; empty: any value."""
    required: bool = False
    """Whether every call fills it."""
    recognizer: str | None = None
    """The recognizer that maps expressions to values, if one does."""
    needed: bool = False
    """Whether the service needs it, although a call need not fill it: the dialogue asks for it in a later turn."""
    dontcare: bool = False
    """Whether `dontcare` is a value as well, in addition to those of `type` and `enum`."""
    composed: bool = False
    """Whether the model writes the value, so that no span is searched; never together with a recognizer."""
    default: str | None = None
    """The value of a call that leaves the parameter out, as text; `None`: it declares none."""
    schema: Mapping[str, Any] | None = None
    """The JSON Schema, if the fields above do not say all of it: of an array, an object, several types, a format.

    An empty one accepts any value, lists and objects included.
    """

    @property
    def accepts_null(self) -> bool:
        """Whether a call may fill it with `None`."""
        return self.schema is not None and admits_null(self.schema)

    @property
    def accepts_dontcare(self) -> bool:
        """Whether a call may fill it with `dontcare`; free text may be anything."""
        is_free_text = not self.enum and self.type in ("string", None) and not self.schema
        return self.dontcare or is_free_text or DONTCARE in self.enum
