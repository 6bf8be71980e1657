"""SPDX expressions: what a source declares, read by the `license-expression` library."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import product
from typing import Any

from exemplars.core.errors import Diagnostic, UserError, quote_text

_OWN = ("LicenseRef-", "DocumentRef-")
"""What an identifier begins with that its author, and not SPDX, has defined."""


@cache
def alternatives(expression: str) -> tuple[frozenset[str], ...]:
    """The licences that apply together, for each way in which the expression lets one choose.

    `MIT OR (CC-BY-4.0 AND Apache-2.0)` answers `{MIT}` and `{CC-BY-4.0, Apache-2.0}`. Raises `ValueError`
    with a sentence where the text is no SPDX expression.
    """
    from license_expression import ExpressionError

    licensing = _spdx()
    try:
        parsed = licensing.parse(expression, strict=True)
    except ExpressionError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if parsed is None:
        raise ValueError("it is empty")
    known = {one.key for one in licensing.known_symbols.values()}
    for name in sorted(licensing.license_keys(parsed)):
        if name not in known and not name.startswith(_OWN):
            close = difflib.get_close_matches(name, known, n=1)
            raise ValueError(
                f"{name!r} is no SPDX identifier" + (f"; did you mean {close[0]!r}?" if close else "")
            )
    return tuple(dict.fromkeys(_choices(parsed)))


def licences_in(expression: str) -> tuple[str, ...]:
    """All licences that an expression names, sorted. Raises `ValueError`."""
    return tuple(sorted(frozenset().union(*alternatives(expression))))


def conjunction(expressions: Iterable[str]) -> str:
    """The expression of material under all of the given ones, each told once. Raises `ValueError`."""
    expressions = list(expressions)
    for one in expressions:
        alternatives(one)
    joined = _spdx().parse(" AND ".join(f"({one})" for one in expressions))
    return str(_spdx().dedup(joined))


def check_expressions(declared: Mapping[str, str]) -> None:
    """Raise `UserError` with a diagnostic for every expression that is none.

    declared: the expressions, by the key of `params.yaml` that holds each.
    """
    problems = []
    for key, expression in declared.items():
        try:
            alternatives(expression)
        except ValueError as error:
            problems.append(_problem(key, expression, str(error)))
    if problems:
        raise UserError(problems)


@cache
def _spdx() -> Any:
    """The library's list of licences, which takes 0.05 s to read."""
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


def _choices(parsed: Any) -> list[frozenset[str]]:
    from license_expression import LicenseSymbol, LicenseWithExceptionSymbol

    if isinstance(parsed, LicenseSymbol | LicenseWithExceptionSymbol):
        return [frozenset({str(parsed)})]
    parts = [_choices(one) for one in parsed.args]
    if parsed.operator.strip() == "OR":
        return [choice for part in parts for choice in part]
    return [frozenset().union(*chosen) for chosen in product(*parts)]


def _problem(key: str, expression: str, reason: str) -> Diagnostic:
    return Diagnostic(
        path="params.yaml",
        code="invalid_licence",
        found=f"{key} is {quote_text(expression)}: {reason}",
        expected="an SPDX expression, as CC-BY-4.0 or MIT OR Apache-2.0",
        fix="correct it (https://spdx.org/licenses), or name terms of your own LicenseRef-<name>",
    )
