"""Calls such as `weather(location="Boston")`: parsed with `ast`, checked, never evaluated."""

from __future__ import annotations

import ast
import difflib
from typing import Final, NamedTuple

from exemplars.core.errors import Diagnostic, quote_text
from exemplars.core.literals import Literal, format_literal, parse_literal, read_literal
from exemplars.dataset.catalog import Parameter, Skill
from stages.ingest.skills.lines import Line, Outline

_PYTHON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


class Call(NamedTuple):
    """The arguments of a call in their order, or all that is wrong with it."""

    arguments: tuple[tuple[str, Literal], ...]
    problems: tuple[Diagnostic, ...]


def parse_call(outline: Outline, line: Line, skill: Skill) -> Call:
    """Parse a call, and check it against the signature of the skill of its file."""
    try:
        tree = ast.parse(line.text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = (error.offset or 1) if isinstance(error, SyntaxError) else 1
        place = Line(line.text, line.line, line.column + max(column, 1) - 1)
        return _wrong(outline, place, "malformed_call", quote_text(line.text), f"{skill.name}(name=value, …)")
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        return _wrong(outline, line, "malformed_call", quote_text(line.text), f"{skill.name}(name=value, …)")
    if tree.func.id != skill.name:
        found = f"a call of {quote_text(tree.func.id)}"
        return _wrong(
            outline, line, "other_skill", found, f"a call of {skill.name!r}, the skill of this file"
        )
    problems = []
    if tree.args:
        names = ", ".join(f"{one.name}=…" for one in skill.parameters[: len(tree.args)]) or "no argument"
        problems.append(
            _problem(outline, line, tree.args[0], "positional_argument", "an argument without a name", names)
        )
    arguments: list[tuple[str, Literal]] = []
    parameters = {one.name: one for one in skill.parameters}
    filled: set[str] = set()
    for keyword in tree.keywords:
        value = read_literal(keyword.value)
        problem = _argument_problem(outline, line, keyword, value, parameters, filled)
        if problem is not None:
            problems.append(problem)
        elif keyword.arg is not None and value is not None:
            arguments.append((keyword.arg, value))
        filled.add(keyword.arg or "")
    missing = [one.name for one in skill.parameters if one.required and one.name not in filled]
    if missing:
        found_text, expected = f"no {', '.join(missing)}", f"the required {', '.join(missing)}"
        problems.append(_problem(outline, line, tree, "missing_argument", found_text, expected))
    return Call(tuple(arguments), tuple(problems))


def _argument_problem(
    outline: Outline,
    line: Line,
    keyword: ast.keyword,
    value: Literal | None,
    parameters: dict[str, Parameter],
    filled: set[str],
) -> Diagnostic | None:
    name = keyword.arg
    if name is None or name not in parameters:
        close = difflib.get_close_matches(name or "", parameters, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        expected = f"one of {', '.join(parameters) or 'no argument'}{hint}"
        return _problem(
            outline, line, keyword, "unknown_argument", f"argument {quote_text(name or '**')}", expected
        )
    if name in filled:
        return _problem(outline, line, keyword, "duplicate_argument", f"{name!r} again", "each argument once")
    if value is None:
        expected = "one literal: text in quotes, a number, True or False"
        return _problem(outline, line, keyword.value, "invalid_value", f"{name} without a literal", expected)
    parameter = parameters[name]
    if parameter.enum and format_literal(value) not in parameter.enum:
        expected = f"one of {', '.join(parameter.enum)}"
        return _problem(outline, line, keyword.value, "invalid_value", f"{name}={value!r}", expected)
    if parameter.type is not None and not parameter.enum and not _fits(value, parameter.type):
        typed = parse_literal(format_literal(value), parameter.type)
        hint = f", such as {name}={typed!r}" if typed != value else ""
        expected = f"a value of type {parameter.type}{hint}"
        return _problem(outline, line, keyword.value, "invalid_value", f"{name}={value!r}", expected)
    return None


def _fits(value: Literal, type_: str) -> bool:
    if isinstance(value, bool):
        return type_ == "boolean"
    return isinstance(value, _PYTHON_TYPES[type_])


def _problem(
    outline: Outline,
    line: Line,
    node: ast.expr | ast.keyword,
    code: str,
    found: str,
    expected: str,
) -> Diagnostic:
    # `ast` counts bytes of UTF-8; a column here is a code point.
    before = len(line.text.strip().encode()[: node.col_offset].decode("utf-8", "ignore"))
    place = Line(line.text, line.line, line.column + before)
    return outline.problem(place, code, found, expected, "correct the call")


def _wrong(outline: Outline, line: Line, code: str, found: str, expected: str) -> Call:
    return Call((), (outline.problem(line, code, found, expected, "correct the call"),))
