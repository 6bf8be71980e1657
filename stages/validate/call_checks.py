"""Whether the arguments of a call keep the contract: their paths, values and groundings, and the call as a whole."""

from __future__ import annotations

import json
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing.exceptions import Unresolvable

from exemplars.core.literals import format_literal
from exemplars.core.records import DONTCARE, Grounding
from exemplars.core.slot_paths import find_root, is_path
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.leaves import build_arguments, decode_leaf, is_leaf_of
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.schema_validators import build_validator
from stages.validate.plain_schemas import PlainValidator, is_plain, is_plain_call

_REMEMBERED: Final = 20_000
"""Parameters of a skill, with what fills them, whose checks are remembered."""
Leaves = tuple[tuple[str, str], ...]
"""The paths and values of arguments."""


class ArgumentChecks(NamedTuple):
    """Whether an argument keeps each rule."""

    path_is_well_formed: bool
    value_is_admitted: bool
    grounding_fits_value: bool
    arguments_fit_together: bool
    """As a call that has nothing else."""
    call_fits_schema: bool
    """As a call that has nothing else, and needs nothing else."""
    is_required: bool
    """Its parameter is."""


class CallChecks(NamedTuple):
    """Whether a call as a whole keeps each rule."""

    arguments_fit_together: bool
    call_fits_schema: bool


class CallChecker:
    """The checks of a skill's calls; it keeps what it found of parameters, since most of them recur."""

    def __init__(self, skill: Skill | None) -> None:
        """skill: `None` if it is not known: then only the paths are checked."""
        self._skill = skill
        self._schema = {} if skill is None else build_tool_definition(skill)["function"]["parameters"]
        self._check_root = lru_cache(maxsize=_REMEMBERED)(self._compute_root)
        self._find_root = lru_cache(maxsize=_REMEMBERED)(find_root)
        self._find_validator = lru_cache(maxsize=_REMEMBERED)(self._build_root_validator)

    def check_call(self, leaves: Leaves, is_negative: bool) -> CallChecks:
        """Check the leaves of a call together. is_negative: a refusal need not fill anything.

        Each parameter is checked by itself, since the schema of a call says nothing of several, but which are required.
        """
        roots: dict[str, list[tuple[str, str]]] = {}
        for leaf in leaves:
            roots.setdefault(self._find_root(leaf[0]), []).append(leaf)
        checks = [self._check_root(name, tuple(root)) for name, root in roots.items()]
        if not all(check.arguments_fit_together for check in checks):
            return CallChecks(False, False)
        is_complete = is_negative or roots.keys() >= self.required
        return CallChecks(True, is_complete and all(check.call_fits_schema for check in checks))

    @cached_property
    def required(self) -> frozenset[str]:
        """The parameters that a call needs, by their names."""
        return frozenset(() if self._validator is None else self._schema.get("required", ()))

    @cached_property
    def _validator(self) -> Any:
        """The validator of some of the arguments; `None` if the skill is not known, or its schema is no JSON Schema."""
        return None if self._skill is None else _build_validator({**self._schema, "required": []})

    @cached_property
    def _has_references(self) -> bool:
        return "$ref" in json.dumps(self._schema, default=str)

    def _build_root_validator(self, name: str) -> Any:
        """Build the validator of one parameter, by its name; `None` as for `_validator`.

        The schema of all would be walked for each, so that the time would grow with the square of their number.
        """
        if self._validator is None or self._has_references:
            return self._validator
        properties = self._schema["properties"]
        if is_plain(properties.get(name)):
            return PlainValidator(name, properties[name])
        own = {name: properties[name]} if name in properties else {}
        return build_validator({**self._schema, "required": [], "properties": own})

    def check_argument(self, slot: str, value: str, grounding: Grounding) -> ArgumentChecks:
        """Check an argument by itself."""
        parameter = None if self._skill is None else self._skill.find_parameter(slot)
        root = self._find_root(slot)
        return ArgumentChecks(
            is_path(slot),
            # Nothing is known of the values of a skill that is not known.
            self._skill is None or (parameter is not None and _is_admitted(value, parameter)),
            parameter is None or _is_grounded(value, grounding, parameter),
            *self._check_root(root, ((slot, value),)),
            root in self.required,
        )

    def _compute_root(self, name: str, leaves: Leaves) -> CallChecks:
        """Check the leaves of one parameter, by its name."""
        try:
            arguments = build_arguments(leaves, self._skill)
        except ValueError:
            return CallChecks(False, False)
        validator = self._find_validator(name)
        return CallChecks(True, validator is None or _is_valid(validator, arguments))


def _is_grounded(value: str, grounding: Grounding, parameter: Parameter) -> bool:
    """Return whether a value can be grounded as its argument says."""
    match grounding:
        case Grounding.DONTCARE:
            return value == DONTCARE
        case Grounding.BOOLEAN:
            return isinstance(decode_leaf(value, parameter), bool)
        case Grounding.CATEGORICAL:
            # There is no text for `None`, nor for an empty list or object.
            leaf = decode_leaf(value, parameter)
            return bool(parameter.enum) or leaf is None or isinstance(leaf, list | dict)
        case Grounding.DEFAULT:
            return value == parameter.default or _is_declared_default(value, parameter)
    return True


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


def _build_validator(schema: dict[str, Any]) -> Any:
    """Build the validator of a skill's arguments; `None` if its schema is no JSON Schema."""
    if not is_plain_call(schema):
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
