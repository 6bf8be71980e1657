"""Whether the arguments of a call keep the contract: their paths, values and groundings, and the call as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing.exceptions import Unresolvable

from exemplars.core.literals import format_literal
from exemplars.core.records import DONTCARE, Argument, Exemplar, Grounding, Mode
from exemplars.core.slot_paths import is_path
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.leaves import build_arguments, decode_leaf, is_leaf_of
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.schema_validators import build_validator


class CallChecks(NamedTuple):
    """Whether the arguments of a row keep each rule."""

    paths_are_well_formed: bool
    values_are_admitted: bool
    arguments_fit_together: bool
    call_fits_schema: bool
    groundings_fit_values: bool


CallCheck = Callable[[Exemplar], CallChecks]


def build_call_checks(skills: Mapping[str, Skill]) -> CallCheck:
    """Build the check of a row's arguments against the catalog.

    skills: the catalog, by name. Of a row without a known skill, only the paths are checked.
    """
    checkers = {name: _CallChecker(skill) for name, skill in skills.items()}
    unknown = _CallChecker(None)
    return lambda row: checkers.get(row.skill or "", unknown).check(row)


class _CallChecker:
    """The checks of a skill's calls; it keeps what it found of a path and of a call, since both recur."""

    def __init__(self, skill: Skill | None) -> None:
        self._skill = skill
        self._find_parameter = lru_cache(maxsize=None)(self._search_parameter)
        self._is_well_formed = lru_cache(maxsize=None)(is_path)
        self._check_call = lru_cache(maxsize=10_000)(self._compute_call)
        self._validators: dict[bool, Any] = {}

    def check(self, row: Exemplar) -> CallChecks:
        """Check the arguments of a row."""
        leaves = tuple((argument.slot, argument.value) for argument in row.arguments)
        fits_together, fits_schema = self._check_call(leaves, row.mode is Mode.NEGATIVE)
        return CallChecks(
            all(map(self._is_well_formed, (argument.slot for argument in row.arguments))),
            all(map(self._admits, row.arguments)),
            fits_together,
            fits_schema,
            all(map(self._is_grounded, row.arguments)),
        )

    def _search_parameter(self, path: str) -> Parameter | None:
        return None if self._skill is None else self._skill.find_parameter(path)

    def _admits(self, argument: Argument) -> bool:
        """Return whether the skill has a parameter for an argument, and admits its value."""
        if self._skill is None:
            return True
        parameter = self._find_parameter(argument.slot)
        return parameter is not None and _is_admitted(argument.value, parameter)

    def _is_grounded(self, argument: Argument) -> bool:
        """Return whether a value can be grounded as the argument says."""
        parameter = self._find_parameter(argument.slot)
        if parameter is None:
            return True
        match argument.grounding:
            case Grounding.DONTCARE:
                return argument.value == DONTCARE
            case Grounding.BOOLEAN:
                return isinstance(decode_leaf(argument.value, parameter), bool)
            case Grounding.CATEGORICAL:
                # There is no text for `None`, nor for an empty list or object.
                leaf = decode_leaf(argument.value, parameter)
                return bool(parameter.enum) or leaf is None or isinstance(leaf, list | dict)
            case Grounding.DEFAULT:
                return argument.value == parameter.default or _is_declared_default(argument.value, parameter)
        return True

    def _compute_call(self, leaves: tuple[tuple[str, str], ...], is_negative: bool) -> tuple[bool, bool]:
        """Return whether leaves make a call, and whether its skill's JSON Schema admits it."""
        try:
            arguments = build_arguments(leaves, self._skill)
        except ValueError:
            return False, False
        if self._skill is None:
            return True, True
        if is_negative not in self._validators:
            self._validators[is_negative] = _build_validator(self._skill, is_negative)
        validator = self._validators[is_negative]
        return True, validator is None or _is_valid(validator, arguments)


def _is_admitted(value: str, parameter: Parameter) -> bool:
    if value == DONTCARE and parameter.accepts_dontcare:
        return True
    leaf = decode_leaf(value, parameter)
    if leaf is None and parameter.accepts_null:
        return True
    return is_leaf_of(leaf, parameter) and (not parameter.enum or format_literal(leaf) in parameter.enum)


def _is_declared_default(value: str, parameter: Parameter) -> bool:
    """Return whether a value is the default of its schema, which may be `None`, or an empty list or object."""
    schema = parameter.schema or {}
    return "default" in schema and bool(schema["default"] == decode_leaf(value, parameter))


def _build_validator(skill: Skill, is_negative: bool) -> Any:
    """Build the validator of a skill's arguments; `None` if its schema is no JSON Schema. A refusal fills nothing."""
    schema = build_tool_definition(skill)["function"]["parameters"]
    if is_negative:
        schema = {**schema, "required": []}
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        return None
    return build_validator(schema)


def _is_valid(validator: Any, arguments: dict[str, Any]) -> bool:
    """Return whether arguments are valid; a schema that refers to another document admits all."""
    try:
        return bool(validator.is_valid(arguments))
    except (Unresolvable, RecursionError):
        return True
