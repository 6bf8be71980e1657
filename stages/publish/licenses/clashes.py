"""Which licences may not be in one split, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product

import msgspec

from exemplars.core.errors import Diagnostic
from stages.publish.licenses.expressions import alternatives, licences_in
from stages.publish.licenses.terms import AT_ODDS, RECIPROCAL, Term, terms_of, wholes_of, without_exception
from stages.publish.params import AcceptedClash


class Declared(msgspec.Struct, frozen=True, order=True):
    """The rows of one source under one expression in one split."""

    source: str
    expression: str
    rows: int


class Clash(msgspec.Struct, frozen=True):
    """One licence that allows no exemplars, or two that may not be in one split."""

    licences: tuple[str, ...]
    """SPDX identifiers, sorted; one or two."""
    why: str
    splits: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]
    """The name and the expression of each source that brings them, sorted."""
    reason: str | None
    """Why it is accepted; null: it is not."""


def why_they_clash(licence: str, other: str) -> str | None:
    """Why material under two licences may not be one data set; null where it may.

    The same licence twice clashes where it allows no adaptation, for exemplars are one.
    """
    first, second = terms_of(licence), terms_of(other)
    if licence == other:
        forbids = Term.NO_DERIVATIVES in first
        return f"{licence} forbids to pass on adaptations, and exemplars are adaptations" if forbids else None
    if Term.NO_DERIVATIVES in first | second:
        return None  # Told of the licence alone.
    if Term.UNKNOWN in first | second:
        unknown = " and ".join(
            one for one, terms in ((licence, first), (other, second)) if Term.UNKNOWN in terms
        )
        return f"the terms of {unknown} are not known here, so nobody has checked that they allow it"
    pair = frozenset({without_exception(licence), without_exception(other)})
    return AT_ODDS.get(pair) or _of_reciprocals(licence, other)


def _of_reciprocals(licence: str, other: str) -> str | None:
    """A licence that prescribes that of the whole, against one that prescribes another, or forbids it."""
    ours, theirs = terms_of(licence), terms_of(other)
    if ours & RECIPROCAL and theirs & RECIPROCAL:
        reconciled = wholes_of(licence) & wholes_of(other)
        return None if reconciled else "each demands that the whole is passed on under itself"
    for one, terms, against, demands in ((licence, ours, other, theirs), (other, theirs, licence, ours)):
        if terms & RECIPROCAL and Term.NON_COMMERCIAL in demands - terms:
            return f"{one} demands that the whole may be used by all for all, and {against} forbids commercial use"
    return None


def clashes_of(
    splits: Mapping[str, Sequence[Declared]], accepted: Iterable[AcceptedClash]
) -> tuple[Clash, ...]:
    """All clashes of all splits, accepted or not, sorted.

    Of an expression with `OR`, the choice is taken that leaves the fewest clashes unaccepted.
    Raises `ValueError` where an expression is none (`check_expressions` tells of them all).
    """
    reasons = {
        frozenset(licence for name in one.licences for licence in licences_in(name)): one.reason
        for one in accepted
    }
    found: dict[tuple[str, ...], tuple[str, list[str], set[tuple[str, str]]]] = {}
    for split, declared in splits.items():
        for licences, (why, sources) in _in_one(declared, reasons).items():
            _, names, all_sources = found.setdefault(licences, (why, [], set()))
            names.append(split)
            all_sources |= sources
    return tuple(
        Clash(licences, why, tuple(names), tuple(sorted(sources)), reasons.get(frozenset(licences)))
        for licences, (why, names, sources) in sorted(found.items())
    )


_Found = dict[tuple[str, ...], tuple[str, set[tuple[str, str]]]]
"""Why licences clash, and which sources bring them, by the licences."""


def _in_one(declared: Sequence[Declared], reasons: Mapping[frozenset[str], str]) -> _Found:
    expressions = sorted({one.expression for one in declared})
    best: _Found | None = None
    fewest = 0
    for chosen in product(*map(alternatives, expressions)):
        found = _of_choice(declared, dict(zip(expressions, chosen, strict=True)))
        unaccepted = sum(frozenset(licences) not in reasons for licences in found)
        if best is None or (unaccepted, len(found)) < (fewest, len(best)):
            best, fewest = found, unaccepted
        if not best:
            break
    return best or {}


def _of_choice(declared: Sequence[Declared], chosen: Mapping[str, frozenset[str]]) -> _Found:
    bringing: dict[str, set[tuple[str, str]]] = {}
    for one in declared:
        for licence in chosen[one.expression]:
            bringing.setdefault(licence, set()).add((one.source, one.expression))
    licences = sorted(bringing)
    found: _Found = {}
    for pair in [*((one, one) for one in licences), *combinations(licences, 2)]:
        why = why_they_clash(*pair)
        if why is not None:
            found[tuple(sorted(set(pair)))] = (why, bringing[pair[0]] | bringing[pair[1]])
    return found


def clash_problems(clashes: Iterable[Clash]) -> list[Diagnostic]:
    """What to tell of the clashes that are not accepted."""
    return [_problem(one) for one in clashes if one.reason is None]


def _problem(clash: Clash) -> Diagnostic:
    sources = " and ".join(f"source {source} ({expression})" for source, expression in clash.sources)
    names = ", ".join(clash.licences)
    splits = f"split{'s' if len(clash.splits) > 1 else ''} {', '.join(clash.splits)}"
    drop = (
        "leave a source out of compile.sources"
        if len(clash.sources) > 1
        else "leave it out of compile.sources"
    )
    return Diagnostic(
        path=splits,
        code="licence_clash",
        found=f"{sources}: {clash.why}",
        expected="licences that may be in one data set",
        fix=f"{drop}, or accept it in params.yaml, with the reason: "
        f'publish.accepted_licence_clashes: [{{licences: [{names}], reason: "..."}}]',
    )
