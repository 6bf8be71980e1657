"""SPDX license expressions, parsed by the `license-expression` library."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import product
from typing import Any, Final

from exemplars.core.errors import Diagnostic, UserError, quote_text

_CUSTOM_PREFIXES: Final = ("LicenseRef-", "DocumentRef-")
"""Beginnings of identifiers that their author, not SPDX, has defined."""


@cache
def list_alternatives(expression: str) -> tuple[frozenset[str], ...]:
    """List the choices that an expression leaves: each is the set of licenses that apply together.

    Raises `ValueError`, with a sentence, if the text is not an SPDX expression.

    >>> [sorted(licenses) for licenses in list_alternatives("MIT OR (CC-BY-4.0 AND Apache-2.0)")]
    [['MIT'], ['Apache-2.0', 'CC-BY-4.0']]
    """
    from license_expression import ExpressionError

    licensing = _load_spdx()
    try:
        parsed = licensing.parse(expression, strict=True)
    except ExpressionError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if parsed is None:
        raise ValueError("it is empty")
    known = {symbol.key for symbol in licensing.known_symbols.values()}
    for name in sorted(licensing.license_keys(parsed)):
        if name not in known and not name.startswith(_CUSTOM_PREFIXES):
            close = difflib.get_close_matches(name, known, n=1)
            guess = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"{name!r} is not an SPDX identifier{guess}")
    return tuple(dict.fromkeys(_collect_choices(parsed)))


def list_licenses(expression: str) -> tuple[str, ...]:
    """List all licenses that an expression names, sorted. Raises `ValueError` if it is not valid."""
    return tuple(sorted(frozenset().union(*list_alternatives(expression))))


def join_expressions(expressions: Iterable[str]) -> str:
    """Join expressions that all apply with `AND`, without repetition. Raises `ValueError` if one is not valid.

    >>> join_expressions(["CC-BY-4.0", "MIT OR Apache-2.0", "CC-BY-4.0"])
    'CC-BY-4.0 AND (MIT OR Apache-2.0)'
    """
    expressions = list(expressions)
    for expression in expressions:
        list_alternatives(expression)
    joined = _load_spdx().parse(" AND ".join(f"({expression})" for expression in expressions))
    return str(_load_spdx().dedup(joined))


def check_expressions(declared: Mapping[str, str]) -> None:
    """Raise `UserError` with a diagnostic for each expression that is not valid.

    declared: the expressions, by the key of `params.yaml` that has them.
    """
    problems = []
    for key, expression in declared.items():
        try:
            list_alternatives(expression)
        except ValueError as error:
            problems.append(_describe_problem(key, expression, str(error)))
    if problems:
        raise UserError(problems)


@cache
def _load_spdx() -> Any:
    """Load the library's list of licenses; cached because it takes 0.05 s."""
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


def _collect_choices(parsed: Any) -> list[frozenset[str]]:
    from license_expression import LicenseSymbol, LicenseWithExceptionSymbol

    if isinstance(parsed, LicenseSymbol | LicenseWithExceptionSymbol):
        return [frozenset({str(parsed)})]
    operands = [_collect_choices(argument) for argument in parsed.args]
    if parsed.operator.strip() == "OR":
        return [choice for operand in operands for choice in operand]
    return [frozenset().union(*chosen) for chosen in product(*operands)]


def _describe_problem(key: str, expression: str, reason: str) -> Diagnostic:
    return Diagnostic(
        path="params.yaml",
        code="invalid_license",
        summary=f"{key} is {quote_text(expression)}: {reason}",
        found=f"{key} is {quote_text(expression)}: {reason}",
        expected="an SPDX expression, such as CC-BY-4.0 or MIT OR Apache-2.0",
        fix="write an SPDX expression (https://spdx.org/licenses), such as CC-BY-4.0 or MIT OR Apache-2.0, or name "
        "terms of your own LicenseRef-<name>",
    )
