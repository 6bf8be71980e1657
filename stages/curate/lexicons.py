"""The lexicons of slices and privacy: small files with a source, in `schemas/lexicons/`."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import msgspec

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import MAX_FILE_BYTES, read_json


class NameLexicon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """First names and family names, capitalized."""

    source: str
    """Where the names come from."""
    female: tuple[str, ...]
    male: tuple[str, ...]
    ambiguous: tuple[str, ...]
    """Those of either list that are words, places or family names just as often."""
    other: tuple[str, ...] = ()
    """First names that are in neither list, so that no slice of gender counts them."""
    family: tuple[str, ...] = ()
    """Frequent family names: they tell a name from other words where capitals do not."""


class MentionLexicon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words and phrases that put a text into a slice of one dimension."""

    source: str
    """Where the words come from."""
    slices: dict[str, tuple[str, ...]]
    """Words in lower case, by slice."""


class Lexicons(NamedTuple):
    """All lexicons."""

    names: NameLexicon
    pronouns: MentionLexicon
    places: MentionLexicon
    ages: MentionLexicon


L = TypeVar("L", NameLexicon, MentionLexicon)


def read_lexicons(folder: str) -> Lexicons:
    """Read all lexicons of a folder.

    Raises `UserError` with a diagnostic for every file that is missing or broken.
    """
    problems: list[Diagnostic] = []

    def read(name: str, type_: type[L]) -> L | None:
        try:
            return read_json(
                layout.lexicon(folder, name),
                type_,
                code="bad_lexicon",
                expected='{"source": …, "slices": {name: [words]}}, or the lists of names.json',
                fix="correct the file, or restore it from version control",
                limit=MAX_FILE_BYTES,
            )
        except UserError as error:
            problems.extend(error.diagnostics)
            return None

    names, pronouns = read("names", NameLexicon), read("pronouns", MentionLexicon)
    places, ages = read("places", MentionLexicon), read("ages", MentionLexicon)
    if names is None or pronouns is None or places is None or ages is None:
        raise UserError(problems)
    return Lexicons(names, pronouns, places, ages)
