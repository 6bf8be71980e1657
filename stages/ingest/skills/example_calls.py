"""Calls such as `weather(location="Boston")`: parsed, checked, never evaluated."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection
from typing import Final, NamedTuple

from exemplars.core.call_syntax import ArgumentText, CallText, parse_call_text
from exemplars.core.errors import Diagnostic, quote_text, suggest_name
from exemplars.core.literals import (
    Literal,
    format_literal,
    is_of_type,
    parse_literal,
)
from exemplars.core.slot_paths import MAX_DEPTH, Leaf, find_value_excess, flatten_arguments
from exemplars.core.value_syntax import BROKEN_ESCAPE, NOT_A_LITERAL, NotACall, NotAValue, Value
from exemplars.dataset.catalog import Skill, find_missing_parameters
from exemplars.dataset.leaves import is_leaf_of
from exemplars.dataset.parameters import TYPES, Parameter
from stages.ingest.skills.outline import Line, Outline

_FIX: Final = "correct the call"
_BACKSLASH_FIX: Final = "write each backslash twice, or an r before the quotes"
_MAX_DIAGNOSTICS: Final = 20
"""The number of diagnostics after which a call is not checked any further: a long one has 100,000 arguments."""


class ExampleCall(NamedTuple):
    """The values of a call in their order, and all that is wrong with it."""

    leaves: tuple[tuple[str, Leaf], ...]
    """The leaves of its arguments, by path."""
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
    leaves: list[tuple[str, Leaf]] = []
    filled: set[str] = set()
    given = {argument.name for argument in call.arguments}
    for argument in call.arguments:
        if len(diagnostics) >= _MAX_DIAGNOSTICS:
            break
        if argument.name is None and not isinstance(argument.value, NotAValue):
            continue  # As `_check_names` reports.
        diagnostic = _check_argument(outline, line, argument, skill, filled, given)
        if diagnostic is not None:
            diagnostics.append(diagnostic)
        elif argument.name is not None:
            leaves += flatten_arguments({argument.name: argument.value})
        filled.add(argument.name or "")
    diagnostics += _check_required(outline, line, call, skill)
    return ExampleCall(tuple(leaves), tuple(diagnostics))


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
        argument
        for argument in call.arguments
        if argument.name is None and not isinstance(argument.value, NotAValue)
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
    skill: Skill,
    filled: Collection[str],
    given: Collection[str | None],
) -> Diagnostic | None:
    """Check an argument. filled: the names of the arguments before it; given: of all arguments."""
    name = argument.name
    if name is None or name not in skill.parameter_by_name:
        names = [parameter.name for parameter in skill.parameters]
        found = "an argument without a name" if name is None else f"slot {quote_text(name)}"
        expected = f"one of {', '.join(names)}" if names else "no argument"
        fix = suggest_name(name or "", names, given) or _FIX
        return _make_diagnostic(outline, line, argument.start, "unknown_slot", found, expected, fix)
    if name in filled:
        found, expected = f"slot {name!r} again", "each slot once"
        return _make_diagnostic(outline, line, argument.start, "duplicate_slot", found, expected)
    fault = _find_fault(skill, name, argument.value)
    if fault is None:
        return None
    return _make_diagnostic(outline, line, argument.value_start, *fault)


class _Fault(NamedTuple):
    """What is wrong with a value, as the parts of a diagnostic."""

    code: str
    found: str
    expected: str
    fix: str = _FIX


def _find_fault(skill: Skill, name: str, value: Value | NotAValue) -> _Fault | None:
    """Find what is wrong with the value of an argument, or with the first of its leaves that is wrong."""
    parameter = skill.find_parameter(name)
    is_nested = parameter is not None and parameter.schema is not None
    if isinstance(value, NotAValue) and value.why != NOT_A_LITERAL:
        found = f"{name} with {value.why.removeprefix('an argument with ')}"
        return _Fault("invalid_value", found, f"each key once, and at most {MAX_DEPTH} levels")
    if isinstance(value, NotAValue) or (value is None and not is_nested):
        expected = "text in quotes, a number, True or False" + (
            ", None, a list or an object" if is_nested else ""
        )
        return _Fault("invalid_value", f"{name} without a literal", expected)
    if (excess := find_value_excess(value)) is not None:
        return _Fault("invalid_value", f"{name} with {excess[0]}", excess[1])
    if isinstance(value, (list, dict)) and not is_nested and parameter is not None:
        return _Fault("invalid_value", f"{name}={quote_text(json.dumps(value))}", _describe_type(parameter))
    leaves = flatten_arguments({name: value})
    return next((fault for path, leaf in leaves if (fault := _find_leaf_fault(skill, path, leaf))), None)


def _find_leaf_fault(skill: Skill, path: str, leaf: Leaf) -> _Fault | None:
    parameter = skill.find_parameter(path)
    found = f"{path}={quote_text(leaf) if isinstance(leaf, str) else leaf}"
    if parameter is None:
        return _Fault("unknown_slot", f"slot {quote_text(path)}", "a path that the parameter's schema has")
    if isinstance(leaf, str) and any(unicodedata.category(letter) == "Cc" for letter in leaf):
        return _Fault("invalid_value", found, "text without control characters", _BACKSLASH_FIX)
    expected = _find_expected(parameter, leaf)
    return None if expected is None else _Fault("invalid_value", found, expected)


def _find_expected(parameter: Parameter, leaf: Leaf) -> str | None:
    """Describe the values that a parameter takes; `None` if `leaf` is among them."""
    if leaf is None and parameter.accepts_null:
        return None
    if parameter.enum:
        return None if format_literal(leaf) in parameter.enum else f"one of {', '.join(parameter.enum)}"
    if is_leaf_of(leaf, parameter) and not (isinstance(leaf, float) and parameter.type == "integer"):
        return None
    if not isinstance(leaf, Literal):
        return _describe_type(parameter)
    whole = int(leaf) if isinstance(leaf, float) and leaf.is_integer() else leaf
    typed = parse_literal(format_literal(whole), parameter.type)
    is_typed = parameter.type in TYPES and is_of_type(typed, parameter.type)
    return _describe_type(parameter) + (f", such as {parameter.name}={typed!r}" if is_typed else "")


def _describe_type(parameter: Parameter) -> str:
    return "a literal" if parameter.type is None else f"a value of type {parameter.type}"


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
