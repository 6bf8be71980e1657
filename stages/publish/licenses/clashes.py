"""Licenses that may not be in one split, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import Final

import msgspec

from exemplars.core.errors import Diagnostic
from exemplars.core.licenses import list_alternatives, list_licenses
from stages.publish.licenses.terms import (
    INCOMPATIBLE_PAIRS,
    RECIPROCAL,
    Term,
    find_terms,
    list_compatible_licenses,
    strip_exception,
)
from stages.publish.params import AcceptedClash


class DeclaredLicense(msgspec.Struct, frozen=True, order=True):
    """The rows of one source under one license expression in one split."""

    source: str
    expression: str
    rows: int


class Clash(msgspec.Struct, frozen=True):
    """A license that allows no exemplars, or two licenses that may not be in one split."""

    licenses: tuple[str, ...]
    """SPDX identifiers, sorted; one or two."""
    why: str
    splits: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]
    """The name and the expression of each source that brings the licenses, sorted."""
    reason: str | None
    """Why it is accepted; `None` if it is not."""


OWN_TERMS: Final = "LicenseRef-"
"""The beginning of a license that the author of the parameters defines."""
_Clashes = dict[tuple[str, ...], tuple[str, set[tuple[str, str]]]]
"""By the licenses of a clash: why they clash, and the sources that bring them."""


def explain_clash(first: str, second: str) -> str | None:
    """Explain why material under two licenses may not be in one dataset; return `None` if it may.

    first, second: SPDX identifiers. A license clashes with itself if it allows no adaptation, because
    exemplars are adaptations.

    >>> explain_clash("CC-BY-4.0", "MIT")
    >>> explain_clash("CC-BY-ND-4.0", "CC-BY-ND-4.0")
    'CC-BY-ND-4.0 forbids sharing adaptations, and exemplars are adaptations'
    """
    terms = {license: find_terms(license) for license in (first, second)}
    all_terms = terms[first] | terms[second]
    if Term.NO_DERIVATIVES in all_terms:
        # Such a license clashes with itself; that is reported once, and not for each pair that it is in.
        return (
            f"{first} forbids sharing adaptations, and exemplars are adaptations" if first == second else None
        )
    if first == second:
        return None
    if first.startswith(OWN_TERMS) and second.startswith(OWN_TERMS):
        return None  # Both are the terms of whoever compiles the dataset.
    if Term.UNKNOWN in all_terms:
        unknown = " and ".join(license for license in terms if Term.UNKNOWN in terms[license])
        return (
            f"the terms of {unknown} are not in the license table, so nobody has checked that they allow it"
        )
    pair = frozenset({strip_exception(first), strip_exception(second)})
    return INCOMPATIBLE_PAIRS.get(pair) or _explain_reciprocal_clash(first, second)


def _explain_reciprocal_clash(first: str, second: str) -> str | None:
    """Explain why a license that prescribes the license of the whole clashes with another, if it does."""
    first_terms, second_terms = find_terms(first), find_terms(second)
    if first_terms & RECIPROCAL and second_terms & RECIPROCAL:
        shared = list_compatible_licenses(first) & list_compatible_licenses(second)
        return None if shared else "each requires that the whole is shared under its own terms"
    for reciprocal, terms, other, other_terms in (
        (first, first_terms, second, second_terms),
        (second, second_terms, first, first_terms),
    ):
        if terms & RECIPROCAL and Term.NON_COMMERCIAL in other_terms - terms:
            return (
                f"{reciprocal} requires that the whole may be used for any purpose, and {other} forbids "
                "commercial use"
            )
    return None


def find_clashes(
    splits: Mapping[str, Sequence[DeclaredLicense]], accepted: Iterable[AcceptedClash]
) -> tuple[Clash, ...]:
    """Find all clashes of all splits, accepted or not, sorted by license.

    Of an expression with `OR`, the choice that leaves the fewest unaccepted clashes is taken.
    Raises `ValueError` if an expression is not valid; `check_expressions` reports all of them.
    """
    reasons = {
        frozenset(
            license for expression in clash.licenses for license in list_licenses(expression)
        ): clash.reason
        for clash in accepted
    }
    clashes: dict[tuple[str, ...], tuple[str, list[str], set[tuple[str, str]]]] = {}
    for split, declared in splits.items():
        for licenses, (why, sources) in _find_split_clashes(declared, reasons).items():
            _, names, all_sources = clashes.setdefault(licenses, (why, [], set()))
            names.append(split)
            all_sources |= sources
    return tuple(
        Clash(licenses, why, tuple(names), tuple(sorted(sources)), reasons.get(frozenset(licenses)))
        for licenses, (why, names, sources) in sorted(clashes.items())
    )


def describe_unaccepted_clashes(clashes: Iterable[Clash]) -> list[Diagnostic]:
    """Describe each clash that is not accepted."""
    return [_describe_clash(clash) for clash in clashes if clash.reason is None]


def _find_split_clashes(
    declared: Sequence[DeclaredLicense], reasons: Mapping[frozenset[str], str]
) -> _Clashes:
    """Find the clashes within a split, for the best choice of alternatives."""
    expressions = sorted({row.expression for row in declared})
    best: _Clashes | None = None
    fewest = 0
    for chosen in product(*map(list_alternatives, expressions)):
        clashes = _find_choice_clashes(declared, dict(zip(expressions, chosen, strict=True)))
        unaccepted = sum(frozenset(licenses) not in reasons for licenses in clashes)
        if best is None or (unaccepted, len(clashes)) < (fewest, len(best)):
            best, fewest = clashes, unaccepted
        if not best:
            break
    return best or {}


def _find_choice_clashes(
    declared: Sequence[DeclaredLicense], chosen: Mapping[str, frozenset[str]]
) -> _Clashes:
    """Find the clashes of the licenses that were chosen for each expression."""
    sources: dict[str, set[tuple[str, str]]] = {}
    for row in declared:
        for license in chosen[row.expression]:
            sources.setdefault(license, set()).add((row.source, row.expression))
    licenses = sorted(sources)
    clashes: _Clashes = {}
    for pair in [*((license, license) for license in licenses), *combinations(licenses, 2)]:
        why = explain_clash(*pair)
        if why is not None:
            clashes[tuple(sorted(set(pair)))] = (why, sources[pair[0]] | sources[pair[1]])
    return clashes


def _describe_clash(clash: Clash) -> Diagnostic:
    sources = " and ".join(f"source {source} ({expression})" for source, expression in clash.sources)
    names = ", ".join(clash.licenses)
    several = len(clash.sources) > 1
    place = "the same dataset" if several else "the dataset"
    drop = "a source" if several else "it"
    return Diagnostic(
        path=f"split{'s' if len(clash.splits) > 1 else ''} {', '.join(clash.splits)}",
        code="license_clash",
        summary=f"{sources} may not be in {place}: {clash.why}",
        found=f"{sources}: {clash.why}",
        expected="licenses that may be in the same dataset",
        fix=f"leave {drop} out of compile.sources, or accept the clash in params.yaml, with the reason: "
        f'publish.accepted_license_clashes: [{{licenses: [{names}], reason: "..."}}]',
    )
