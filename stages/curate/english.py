"""spaCy's English without a model: its tokenizer and its matchers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from exemplars.core.imports import hide_packages

if TYPE_CHECKING:
    from spacy.language import Language

MODEL_LIBRARIES: Final = ("torch", "transformers")
"""What spaCy and Presidio import where it is installed, for models that are not used here."""


@functools.cache
def blank_english() -> Language:
    """The blank pipeline `en`; made once in a process. It takes 2 s; with `MODEL_LIBRARIES`, 9 s."""
    with hide_packages(*MODEL_LIBRARIES):
        import spacy

        return spacy.blank("en")
