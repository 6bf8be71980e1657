"""What anybody who shares the dataset has to do, by license."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from exemplars.core.licenses import list_licenses
from stages.publish.licenses.clashes import DeclaredLicense
from stages.publish.licenses.terms import HUB_NAMES, TERMS, Term, find_terms

_SHARE_ALIKE: Final = (
    "share what contains it, or is made from it, only under the same license or a compatible license"
)
SENTENCES: Final = {
    Term.NOTICE: "keep the copyright notice and the text of the license with every copy",
    Term.ATTRIBUTION: "name the authors, link to the license, and say what was changed",
    Term.SHARE_ALIKE: _SHARE_ALIKE,
    Term.COPYLEFT: _SHARE_ALIKE,
    Term.NON_COMMERCIAL: "do not use it for commercial advantage",
    Term.NO_DERIVATIVES: "do not share anything made from it",
    Term.UNKNOWN: "read the license: its terms are not in the license table of this program",
}


class Obligation(msgspec.Struct, frozen=True):
    """One requirement of a license."""

    license: str
    """SPDX identifier; an expression with `OR` gives the obligations of each of its licenses."""
    term: Term
    sentence: str
    sources: tuple[str, ...]
    """The sources with rows under the license, sorted."""


def list_obligations(declared: Iterable[DeclaredLicense]) -> tuple[Obligation, ...]:
    """List the obligations of all licenses, by license and term; the public domain has none.

    Raises `ValueError` if an expression is not valid.
    """
    sources: dict[str, set[str]] = {}
    for row in declared:
        for license in list_licenses(row.expression):
            sources.setdefault(license, set()).add(row.source)
    return tuple(
        Obligation(license, term, SENTENCES[term], tuple(sorted(names)))
        for license, names in sorted(sources.items())
        for term in Term
        if term in find_terms(license)
    )


def find_hub_name(license: str) -> str:
    """Return the Hugging Face hub's name of a license; `other` if the hub has no name for it.

    >>> find_hub_name("GPL-3.0-only")
    'gpl-3.0'
    """
    return HUB_NAMES.get(license, license.lower()) if license in TERMS else "other"
