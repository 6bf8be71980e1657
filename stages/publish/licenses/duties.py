"""What whoever passes the data set on must do, by licence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from stages.publish.licenses.clashes import Declared
from stages.publish.licenses.expressions import licences_in
from stages.publish.licenses.terms import HUB_NAMES, TERMS, Term, terms_of

SENTENCES: Final = {
    Term.NOTICE: "keep the copyright notice and the text of the licence with every copy",
    Term.ATTRIBUTION: "name the authors, link to the licence, and say what was changed",
    Term.SHARE_ALIKE: "pass on what holds it, or is made of it, under the same or a compatible licence",
    Term.COPYLEFT: "pass on what holds it, or is made of it, under the same or a compatible licence",
    Term.NON_COMMERCIAL: "do not use it for commercial advantage",
    Term.NO_DERIVATIVES: "do not pass on what was made of it",
    Term.UNKNOWN: "read the licence: its terms are not in the table of this program",
}


class Duty(msgspec.Struct, frozen=True):
    """One demand of a licence."""

    licence: str
    """SPDX identifier; of an expression with OR, each is told of."""
    term: Term
    sentence: str
    sources: tuple[str, ...]
    """Those with rows under the licence, sorted."""


def duties_of(declared: Iterable[Declared]) -> tuple[Duty, ...]:
    """What the licences of sources demand, by licence and term; nothing of a public domain one.

    Raises `ValueError` where an expression is none.
    """
    sources: dict[str, set[str]] = {}
    for one in declared:
        for licence in licences_in(one.expression):
            sources.setdefault(licence, set()).add(one.source)
    return tuple(
        Duty(licence, term, SENTENCES[term], tuple(sorted(names)))
        for licence, names in sorted(sources.items())
        for term in Term
        if term in terms_of(licence)
    )


def hub_name(licence: str) -> str:
    """How the Hugging Face hub calls a licence; `other` where it has no name for it."""
    return HUB_NAMES.get(licence, licence.lower()) if licence in TERMS else "other"
