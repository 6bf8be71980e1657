"""Calls such as `weather(location="Boston")`: parsed, checked, never evaluated."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from exemplars.core.call_syntax import BROKEN_ESCAPE, ArgumentText, CallText, NotACall, parse_call_text
from exemplars.core.errors import Diagnostic, quote_text, suggest_name
from exemplars.core.literals import (
    Literal,
    find_excess,
    format_literal,
    is_of_type,
    parse_literal,
)
from exemplars.dataset.catalog import Parameter, Skill, find_missing_parameters
from stages.ingest.skills.outline import Line, Outline

_FIX: Final = "correct the call"
_BACKSLASH_FIX: Final = "write each backslash twice, or an r before the quotes"
_MAX_DIAGNOSTICS: Final = 20
"""The number of diagnostics after which a call is not checked any further: a long one has 100,000 arguments."""


class ExampleCall(NamedTuple):
    """The arguments of a call in their order, and all that is wrong with it."""

    arguments: tuple[tuple[str, Literal], ...]
    diagnostics: tuple[Diagnostic, ...]


def parse_example_call(outline: Outline, line: Line, skill: Skill) -> ExampleCall:
    """Parse a call, and check it against the signature of its file's skill.

    line: the text of the call. The result has diagnostics if the call does not parse or does not fit.
    """
    call = _parse_call(outline, line, skill)
    if isinstance(call, Diagnostic):
        return ExampleCall((), (call,))
    # The first diagnostic gives the row its reason.
    diagnostics = _check_names(outline, line, call, skill)
    arguments: list[tuple[str, Literal]] = []
    parameters = {parameter.name: parameter for parameter in skill.parameters}
    filled: set[str] = set()
    given = {argument.name for argument in call.arguments}
    for argument in call.arguments:
        if len(diagnostics) >= _MAX_DIAGNOSTICS:
            break
        if argument.name is None and argument.value is not None:
            continue  # As `_check_names` reports.
        diagnostic = _check_argument(outline, line, argument, parameters, filled, given)
        if diagnostic is not None:
            diagnostics.append(diagnostic)
        elif argument.name is not None and argument.value is not None:
            arguments.append((argument.name, argument.value))
        filled.add(argument.name or "")
    diagnostics += _check_required(outline, line, call, skill)
    return ExampleCall(tuple(arguments), tuple(diagnostics))


def _parse_call(outline: Outline, line: Line, skill: Skill) -> CallText | Diagnostic:
    """Parse the text of a call of the skill, without checking its arguments."""
    expected = f"{skill.name}(name=value, …)"
    call = parse_call_text(line.text)
    if isinstance(call, NotACall):
        if call.why == BROKEN_ESCAPE:
            found, fix = f"{BROKEN_ESCAPE} in {quote_text(line.text)}", _BACKSLASH_FIX
            return _make_diagnostic(outline, line, call.position, "malformed_call", found, expected, fix)
        return _make_diagnostic(
            outline, line, call.position, "malformed_call", quote_text(line.text), expected
        )
    if call.name != skill.name:
        found, expected = f"a call of {quote_text(call.name)}", f"{skill.name!r}, the skill of this file"
        return _make_diagnostic(outline, line, 0, "unknown_skill", found, expected)
    return call


def _check_names(outline: Outline, line: Line, call: CallText, skill: Skill) -> list[Diagnostic]:
    """Check that all arguments have names."""
    unnamed = [
        argument for argument in call.arguments if argument.name is None and argument.value is not None
    ]
    if not unnamed:
        return []
    named = {argument.name for argument in call.arguments}
    free = [parameter.name for parameter in skill.parameters if parameter.name not in named]
    names = [f"{name}=…" for name in free[: len(unnamed)]]
    found, expected = "an argument without a name", ", ".join(names) or "no argument"
    return [_make_diagnostic(outline, line, unnamed[0].start, "positional_argument", found, expected)]


def _check_required(outline: Outline, line: Line, call: CallText, skill: Skill) -> list[Diagnostic]:
    """Check that all required arguments are there."""
    missing = ", ".join(find_missing_parameters(skill, {argument.name for argument in call.arguments}))
    if not missing:
        return []
    return [
        _make_diagnostic(outline, line, 0, "missing_argument", f"no {missing}", f"the required {missing}")
    ]


def _check_argument(
    outline: Outline,
    line: Line,
    argument: ArgumentText,
    parameters: Mapping[str, Parameter],
    filled: Collection[str],
    given: Collection[str | None],
) -> Diagnostic | None:
    """Check an argument. filled: the names of the arguments before it; given: of all arguments."""
    name, value = argument.name, argument.value
    if name is None or name not in parameters:
        found = "an argument without a name" if name is None else f"slot {quote_text(name)}"
        expected = f"one of {', '.join(parameters)}" if parameters else "no argument"
        fix = suggest_name(name or "", parameters, given) or _FIX
        return _make_diagnostic(outline, line, argument.start, "unknown_slot", found, expected, fix)
    if name in filled:
        found, expected = f"slot {name!r} again", "each slot once"
        return _make_diagnostic(outline, line, argument.start, "duplicate_slot", found, expected)
    fix = _FIX
    if value is None:
        found, expected = f"{name} without a literal", "text in quotes, a number, True or False"
    elif (excess := find_excess(value)) is not None:
        found, expected = f"{name} with {excess[0]}", excess[1]
    elif isinstance(value, str) and any(unicodedata.category(letter) == "Cc" for letter in value):
        found, expected, fix = (
            f"{name}={quote_text(value)}",
            "text without control characters",
            _BACKSLASH_FIX,
        )
    elif (mismatch := _find_expected(parameters[name], value)) is not None:
        found, expected = f"{name}={quote_text(value) if isinstance(value, str) else value}", mismatch
    else:
        return None
    return _make_diagnostic(outline, line, argument.value_start, "invalid_value", found, expected, fix)


def _find_expected(parameter: Parameter, value: Literal) -> str | None:
    """Describe the values that a parameter takes; `None` if `value` is among them."""
    if parameter.enum:
        return None if format_literal(value) in parameter.enum else f"one of {', '.join(parameter.enum)}"
    if is_of_type(value, parameter.type):
        return None
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    typed = parse_literal(format_literal(whole), parameter.type)
    hint = f", such as {parameter.name}={typed!r}" if is_of_type(typed, parameter.type) else ""
    return f"a value of type {parameter.type}{hint}"


def _make_diagnostic(
    outline: Outline,
    line: Line,
    position: int,
    code: str,
    found: str,
    expected: str,
    fix: str = _FIX,
) -> Diagnostic:
    place = line._replace(column=line.column + position)
    return outline.make_diagnostic(place, code, found, expected, fix)
