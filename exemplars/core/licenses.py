"""SPDX license expressions, parsed by the `license-expression` library."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from itertools import product
from typing import Any, Final

from exemplars.core.errors import Diagnostic, UserError, quote_text

_CUSTOM_PREFIXES: Final = ("LicenseRef-", "DocumentRef-")
"""Beginnings of identifiers that their author, not SPDX, has defined."""
_MAX_LENGTH: Final = 200
"""Of an expression, in characters: the number of its alternatives grows exponentially."""
_HOW_TO_WRITE: Final = (
    "write an SPDX expression (https://spdx.org/licenses), such as CC-BY-4.0 or MIT OR Apache-2.0, or name "
    "terms of your own LicenseRef-<name>"
)


@cache
def list_alternatives(expression: str) -> tuple[frozenset[str], ...]:
    """List the choices that an expression leaves: each is the set of licenses that apply together.

    Raises `ValueError`, with a sentence, if the text is not an SPDX expression.

    >>> [sorted(licenses) for licenses in list_alternatives("MIT OR (CC-BY-4.0 AND Apache-2.0)")]
    [['MIT'], ['Apache-2.0', 'CC-BY-4.0']]
    """
    parsed = _parse(expression)
    unknown = _find_unknown(parsed)
    if unknown:
        guess = _suggest_expression(expression, unknown)
        raise ValueError(f"{unknown[0]!r} is not an SPDX identifier" + (guess and f"; {guess}"))
    return tuple(dict.fromkeys(_collect_choices(parsed)))


@lru_cache(1024)
def find_license_mistake(expression: str) -> tuple[str, str] | None:
    """Find what is wrong with an expression, and how to correct it; `None`: nothing.

    >>> find_license_mistake("Apache 2.0 OR MIT")
    ("'Apache 2.0' is not an SPDX identifier", "did you mean 'Apache-2.0 OR MIT'?")
    """
    try:
        list_alternatives(expression)
    except ValueError as error:
        found, _, guess = str(error).partition("; ")
        return found, guess or _HOW_TO_WRITE
    return None


def _parse(expression: str) -> Any:
    from license_expression import ExpressionError

    if len(expression) > _MAX_LENGTH:
        raise ValueError(f"it has {len(expression):,} characters, more than {_MAX_LENGTH}")
    try:
        parsed = _load_spdx().parse(expression, strict=True)
    except ExpressionError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if parsed is None:
        raise ValueError("it is empty")
    return parsed


def _find_unknown(parsed: Any) -> list[str]:
    known = _list_identifiers()
    names = sorted(_load_spdx().license_keys(parsed))
    return [name for name in names if name not in known and not name.startswith(_CUSTOM_PREFIXES)]


def _suggest_expression(expression: str, unknown: Iterable[str]) -> str:
    """Ask whether the expression with the closest known identifiers is meant, if it would be valid."""
    for name in unknown:
        close = difflib.get_close_matches(name, _list_identifiers(), n=1)
        if not close:
            return ""
        expression = expression.replace(name, close[0])
    try:
        return "" if _find_unknown(_parse(expression)) else f"did you mean {expression!r}?"
    except ValueError:
        return ""


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


@cache
def _list_identifiers() -> frozenset[str]:
    return frozenset(symbol.key for symbol in _load_spdx().known_symbols.values())


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
        fix=_HOW_TO_WRITE,
    )
