"""Calls such as `weather(location="Boston")`: parsed with `ast`, checked, never evaluated."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Collection, Mapping
from typing import NamedTuple

from exemplars.core.errors import Diagnostic, quote_text
from exemplars.core.literals import Literal, format_literal, is_of_type, parse_literal, read_literal
from exemplars.dataset.catalog import Parameter, Skill
from stages.ingest.skills.outline import Line, Outline

_FIX = "correct the call"


class ExampleCall(NamedTuple):
    """The arguments of a call in their order, and all that is wrong with it."""

    arguments: tuple[tuple[str, Literal], ...]
    diagnostics: tuple[Diagnostic, ...]


def parse_example_call(outline: Outline, line: Line, skill: Skill) -> ExampleCall:
    """Parse a call, and check it against the signature of its file's skill.

    line: the text of the call. The result has diagnostics if the call does not parse or does not fit.
    """
    tree = _parse_expression(outline, line, skill)
    if isinstance(tree, Diagnostic):
        return ExampleCall((), (tree,))
    # The first diagnostic gives the row its reason.
    diagnostics = _check_names(outline, line, tree, skill)
    arguments: list[tuple[str, Literal]] = []
    parameters = {parameter.name: parameter for parameter in skill.parameters}
    filled: set[str] = set()
    for keyword in tree.keywords:
        value = read_literal(keyword.value)
        diagnostic = _check_argument(outline, line, keyword, value, parameters, filled)
        if diagnostic is not None:
            diagnostics.append(diagnostic)
        elif keyword.arg is not None and value is not None:
            arguments.append((keyword.arg, value))
        filled.add(keyword.arg or "")
    diagnostics += _check_required(outline, line, tree, skill)
    return ExampleCall(tuple(arguments), tuple(diagnostics))


def _parse_expression(outline: Outline, line: Line, skill: Skill) -> ast.Call | Diagnostic:
    """Parse the text of a call of the skill, without its arguments."""
    expected = f"{skill.name}(name=value, …)"
    try:
        tree = ast.parse(line.text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = (error.offset or 1) if isinstance(error, SyntaxError) else 1
        place = line._replace(column=line.column + max(column, 1) - 1)
        return outline.make_diagnostic(place, "malformed_call", quote_text(line.text), expected, _FIX)
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        return outline.make_diagnostic(line, "malformed_call", quote_text(line.text), expected, _FIX)
    if tree.func.id != skill.name:
        found, expected = f"a call of {quote_text(tree.func.id)}", f"{skill.name!r}, the skill of this file"
        return outline.make_diagnostic(line, "other_skill", found, expected, _FIX)
    return tree


def _check_names(outline: Outline, line: Line, tree: ast.Call, skill: Skill) -> list[Diagnostic]:
    """Check that all arguments have names."""
    if not tree.args:
        return []
    names = [f"{parameter.name}=…" for parameter in skill.parameters[: len(tree.args)]]
    found, expected = "an argument without a name", ", ".join(names) or "no argument"
    return [_make_diagnostic(outline, line, tree.args[0], "positional_argument", found, expected)]


def _check_required(outline: Outline, line: Line, tree: ast.Call, skill: Skill) -> list[Diagnostic]:
    """Check that all required arguments are there."""
    filled = {keyword.arg for keyword in tree.keywords}
    missing = ", ".join(
        parameter.name
        for parameter in skill.parameters
        if parameter.required and parameter.name not in filled
    )
    if not missing:
        return []
    return [
        _make_diagnostic(outline, line, tree, "missing_argument", f"no {missing}", f"the required {missing}")
    ]


def _check_argument(
    outline: Outline,
    line: Line,
    keyword: ast.keyword,
    value: Literal | None,
    parameters: Mapping[str, Parameter],
    filled: Collection[str],
) -> Diagnostic | None:
    """Check an argument. value: `None` if it is not a literal. filled: the arguments before it."""
    name = keyword.arg
    if name is None or name not in parameters:
        close = difflib.get_close_matches(name or "", parameters, n=1)
        found = f"argument {quote_text(name or '**')}"
        expected = f"one of {', '.join(parameters)}" if parameters else "no argument"
        fix = f"did you mean {close[0]!r}?" if close else _FIX
        return _make_diagnostic(outline, line, keyword, "unknown_argument", found, expected, fix)
    if name in filled:
        return _make_diagnostic(
            outline, line, keyword, "duplicate_argument", f"{name!r} again", "each argument once"
        )
    if value is None:
        found, expected = f"{name} without a literal", "text in quotes, a number, True or False"
    elif (mismatch := _find_expected(parameters[name], value)) is not None:
        found, expected = f"{name}={value!r}", mismatch
    else:
        return None
    return _make_diagnostic(outline, line, keyword.value, "invalid_value", found, expected)


def _find_expected(parameter: Parameter, value: Literal) -> str | None:
    """Describe the values that a parameter takes; `None` if `value` is among them."""
    if parameter.enum:
        return None if format_literal(value) in parameter.enum else f"one of {', '.join(parameter.enum)}"
    if is_of_type(value, parameter.type):
        return None
    typed = parse_literal(format_literal(value), parameter.type)
    hint = f", such as {parameter.name}={typed!r}" if typed != value else ""
    return f"a value of type {parameter.type}{hint}"


def _make_diagnostic(
    outline: Outline,
    line: Line,
    node: ast.expr | ast.keyword,
    code: str,
    found: str,
    expected: str,
    fix: str = _FIX,
) -> Diagnostic:
    # `ast` counts bytes of UTF-8; a column here is a code point.
    before = len(line.text.strip().encode()[: node.col_offset].decode("utf-8", "ignore"))
    return outline.make_diagnostic(line._replace(column=line.column + before), code, found, expected, fix)
