"""Two definitions of a skill as one, if they do not contradict each other."""

from __future__ import annotations

from itertools import chain

import msgspec

from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameter_schemas import build_value_schema, parse_property
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.schema_union import strip_notes, unite_schemas


def unite_skills(first: Skill, second: Skill) -> Skill | None:
    """Unite two definitions of a skill; return `None` if a parameter has two types, enumerations or recognizers.

    Of two JSON Schemas, of lists or objects, either may hold. A parameter that only one has is optional.
    Of descriptions, the first that says something is kept.

    >>> united = unite_skills(Skill("ring", "", (Parameter("who", required=True),)), Skill("ring", "Rings."))
    >>> united.description, united.parameters[0].required
    ('Rings.', False)
    """
    if first.service and second.service and first.service != second.service:
        return None
    names = {parameter.name: None for parameter in chain(first.parameters, second.parameters)}
    parameters = [_unite(first.find_parameter(name), second.find_parameter(name)) for name in names]
    united = tuple(parameter for parameter in parameters if parameter is not None)
    if len(united) < len(names):
        return None
    return Skill(
        first.name,
        first.description or second.description,
        united,
        first.service or second.service,
        first.place,
    )


def _unite(first: Parameter | None, second: Parameter | None) -> Parameter | None:
    if first is None or second is None:
        only = first or second
        return None if only is None else msgspec.structs.replace(only, required=False)
    if first.recognizer and second.recognizer and first.recognizer != second.recognizer:
        return None
    if first.composed != second.composed:
        return None
    if first.schema is not None or second.schema is not None:
        return _unite_schemas(first, second)
    for field in ("enum", "default"):
        before, after = getattr(first, field), getattr(second, field)
        if before and after and before != after:
            return None
    if first.type != second.type:
        return None
    return msgspec.structs.replace(
        first,
        description=first.description or second.description,
        enum=first.enum or second.enum,
        recognizer=first.recognizer or second.recognizer,
        default=first.default or second.default,
        required=first.required and second.required,
        needed=first.needed or second.needed,
        dontcare=first.dontcare or second.dontcare,
    )


def _unite_schemas(first: Parameter, second: Parameter) -> Parameter:
    """Unite two parameters of which at least one has a schema: a value may be what either of them accepts."""
    before, after = build_value_schema(first), build_value_schema(second)
    schema = before if strip_notes(before) == strip_notes(after) else unite_schemas(before, after)
    return msgspec.structs.replace(
        parse_property(first.name, schema),
        description=first.description or second.description,
        recognizer=first.recognizer or second.recognizer,
        composed=first.composed,
        default=first.default or second.default,
        required=first.required and second.required,
        needed=first.needed or second.needed,
    )


def unite_inferred(first: Skill, second: Skill) -> Skill:
    """Unite two skills that are inferred from calls: a parameter with two types is text, or a number if both are.

    What is inferred of lists, objects and several types accepts the values of both.

    >>> parts = [Skill("go", parameters=(Parameter("n", type=kind),)) for kind in ("integer", "number")]
    >>> unite_inferred(*parts).parameters[0].type
    'number'
    """
    others = {parameter.name: parameter for parameter in second.parameters}
    parameters = [_widen(parameter, others.pop(parameter.name, parameter)) for parameter in first.parameters]
    return msgspec.structs.replace(first, parameters=(*parameters, *others.values()))


def _widen(first: Parameter, second: Parameter) -> Parameter:
    if first.schema is not None or second.schema is not None:
        return parse_property(
            first.name, unite_schemas(build_value_schema(first), build_value_schema(second))
        )
    types = {first.type, second.type}
    type_ = first.type if len(types) == 1 else "number" if types == {"integer", "number"} else "string"
    recognizer = first.recognizer if first.recognizer == second.recognizer else None
    dontcare = type_ != "string" and (first.dontcare or second.dontcare)
    return msgspec.structs.replace(first, type=type_, recognizer=recognizer, dontcare=dontcare)
