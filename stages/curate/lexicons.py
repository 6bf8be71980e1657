"""The lexicons that slices and privacy are told by: small, sourced files of `schemas/lexicons/`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar

import msgspec

from exemplars.core.errors import Diagnostic, UserError


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """First names, as written with a capital."""

    source: str
    female: tuple[str, ...]
    male: tuple[str, ...]
    ambiguous: tuple[str, ...]


class Mentions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For each slice of one dimension, the words and phrases that put a text into it, in lower case."""

    source: str
    slices: dict[str, tuple[str, ...]]


class Lexicons(NamedTuple):
    """All lexicons."""

    names: Names
    pronouns: Mentions
    places: Mentions
    ages: Mentions


FILES: Final = ("names", "pronouns", "places", "ages")
L = TypeVar("L", Names, Mentions)


def decode_lexicons(files: Mapping[str, tuple[str, bytes | None]]) -> Lexicons:
    """The lexicons of their files.

    files: by the names of `FILES`, each with its path and its bytes, null where there is none.
    Raises `UserError` with every file that is missing or broken.
    """
    problems: list[Diagnostic] = []

    def decoded(name: str, type_: type[L]) -> L | None:
        path, data = files[name]
        try:
            if data is None:
                raise msgspec.DecodeError("no such file")
            return msgspec.json.decode(data, type=type_)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problems.append(_broken(path, str(error)))
            return None

    names, pronouns = decoded("names", Names), decoded("pronouns", Mentions)
    places, ages = decoded("places", Mentions), decoded("ages", Mentions)
    if names is None or pronouns is None or places is None or ages is None:
        raise UserError(problems)
    return Lexicons(names, pronouns, places, ages)


def _broken(path: str, found: str) -> Diagnostic:
    return Diagnostic(
        path=path,
        code="bad_lexicon",
        found=found,
        expected='{"source": …, "slices": {name: [words]}}, or the lists of names.json',
        fix="correct the file, or take it back from version control",
    )
