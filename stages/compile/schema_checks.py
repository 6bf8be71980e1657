"""Calls against the JSON Schema of their skill: what a leaf by itself does not show."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from exemplars.core.errors import quote_text, suggest_name, summarize_names
from exemplars.core.ledger import Problem
from exemplars.core.records import LabelledArgument, Reason
from exemplars.core.slot_paths import find_root, format_path
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.leaves import build_arguments
from exemplars.dataset.schema_errors import describe_expected
from exemplars.dataset.schema_forms import find_schema_mistakes
from exemplars.dataset.schema_validators import build_validator

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_FORMATS: Final = ("date", "email", "ipv4", "ipv6", "uuid")
"""The formats that are checked; of others, such as `uri`, real values rarely have the strict form."""
_MAX_PROBLEMS: Final = 20


class _SkillKey:
    """A skill by its identity, since a JSON Schema has no hash."""

    def __init__(self, skill: Skill) -> None:
        self.skill = skill

    def __hash__(self) -> int:
        return id(self.skill)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SkillKey) and self.skill is other.skill


def find_schema_problems(labels: Sequence[LabelledArgument], skill: Skill) -> list[Problem]:
    """Find what the JSON Schema of a skill does not accept in the arguments of a call; that all are there is not asked.

    Flat parameters are left to the checks of single values, so that a catalog without schemas costs nothing.
    """
    validator = _build_validator(_SkillKey(skill))
    if validator is None:
        return []
    from referencing.exceptions import Unresolvable  # As little is imported as `jsonschema` is.

    names = validator.schema["properties"]
    leaves = [(label.slot, label.value) for label in labels if find_root(label.slot) in names]
    try:
        arguments = build_arguments(leaves, skill)
    except ValueError as error:
        fix = "number the items of a list from 0, and give each value one path"
        return [Problem(Reason.INVALID_VALUE, f"slots that make no call: {error}", "one call", fix)]
    try:
        return list(islice(_describe_errors(validator.iter_errors(arguments)), _MAX_PROBLEMS))
    except (Unresolvable, RecursionError):  # A schema that refers to nothing admits all.
        return []


@functools.lru_cache(maxsize=4096)
def _build_validator(key: _SkillKey) -> Any:
    """Build the validator of the parameters that have a schema; `None` if none of them says anything."""
    named = [parameter.name for parameter in key.skill.parameters if parameter.schema]
    if not named:
        return None
    properties = build_tool_definition(key.skill)["function"]["parameters"]["properties"]
    schemas = {name: properties[name] for name in named}
    # A damaged schema, as chat data have them, accepts anything.
    damaged = {find_root(place) for _, place in find_schema_mistakes({"properties": schemas})}
    schema = {"properties": {name: {} if name in damaged else schemas[name] for name in named}}
    return build_validator(schema, _FORMATS)


def _describe_errors(errors: Iterable[ValidationError]) -> Iterator[Problem]:
    from jsonschema.exceptions import best_match

    reported: set[tuple[str, Reason]] = set()
    for outer in errors:
        # Of alternatives, the one that is nearest to the value.
        error = best_match(iter([outer])) or outer
        problem = _describe_error(error, format_path(tuple(error.absolute_path)))
        if problem.slot is not None and (problem.slot, problem.reason) not in reported:
            reported.add((problem.slot, problem.reason))
            yield problem


def _describe_error(error: ValidationError, path: str) -> Problem:
    validator, value = str(error.validator), error.validator_value
    if validator == "required":
        paths = [_extend(path, name) for name in value if name not in error.instance]
        names = summarize_names(paths)
        return Problem(
            Reason.MISSING_ARGUMENT, f"no {names}", f"the required {names}", "add what is missing", paths[0]
        )
    if validator in ("additionalProperties", "unevaluatedProperties"):
        known = list(error.schema.get("properties", ()))
        name = next((name for name in error.instance if name not in known), "")
        slot = _extend(path, name)
        expected = f"one of {', '.join(known)}" if known else "no slot"
        fix = suggest_name(name, known, error.instance) or "correct the slot"
        return Problem(Reason.UNKNOWN_SLOT, f"slot {quote_text(slot)}", expected, fix, slot)
    found = f"{_quote_value(error.instance)} for slot {path!r}"
    return Problem(Reason.INVALID_VALUE, found, describe_expected(error), "correct the value", path)


def _extend(path: str, name: str) -> str:
    return path + format_path(("_", name)).removeprefix("_")


def _quote_value(value: Any) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else quote_text(str(value))
