"""The skill catalog: what can be asked for, as OpenAI-style tool definitions.

The form of a definition is that of `tools` in the OpenAI chat API: `{"type": "function",
"function": {"name", "description", "parameters": JSON Schema}}`. What JSON Schema has no word for
is kept under `x-` keys: `x-service` at the function, `x-recognizer` at a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.literals import format_literal, parse_literal

TYPES: Final = ("string", "integer", "number", "boolean")
"""The JSON types that a parameter may have; null stands for any of them."""


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a skill."""

    name: str
    description: str = ""
    type: str | None = "string"
    """One of `TYPES`; null: any literal."""
    enum: tuple[str, ...] = ()
    """The values admitted, as text; empty: any."""
    required: bool = False
    recognizer: str | None = None
    """The recognizer that ties text to values; null: the language model does."""


class Skill(msgspec.Struct, frozen=True):
    """One function that can be called."""

    name: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    service: str | None = None

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name, or null."""
        return next((one for one in self.parameters if one.name == name), None)


def build_tool_definition(skill: Skill) -> dict[str, Any]:
    """The skill as an OpenAI-style tool definition."""
    properties = {one.name: _property(one) for one in skill.parameters}
    required = [one.name for one in skill.parameters if one.required]
    function: dict[str, Any] = {
        "name": skill.name,
        "description": skill.description,
        "parameters": {"type": "object", "properties": properties, "required": required},
    }
    if skill.service is not None:
        function["x-service"] = skill.service
    return {"type": "function", "function": function}


def parse_tool_definition(definition: Mapping[str, Any]) -> Skill:
    """The inverse of `build_tool_definition`; extra keys of other tools are ignored.

    Raises `KeyError` or `TypeError` where the definition has not the form of one.
    """
    function = definition["function"]
    schema = function.get("parameters") or {}
    required = set(schema.get("required", ()))
    return Skill(
        name=function["name"],
        description=function.get("description", ""),
        service=function.get("x-service"),
        parameters=tuple(
            Parameter(
                name=name,
                description=one.get("description", ""),
                type=one["type"] if isinstance(one.get("type"), str) else None,
                enum=tuple(format_literal(value) for value in one.get("enum", ())),
                required=name in required,
                recognizer=one.get("x-recognizer"),
            )
            for name, one in schema.get("properties", {}).items()
        ),
    )


def merge_catalogs(catalogs: Mapping[str, Sequence[Skill]]) -> tuple[Skill, ...]:
    """The skills of all sources, by name.

    catalogs: the skills of each source, by the source's name.
    Raises `UserError` naming every skill that two sources define differently.
    """
    owner: dict[str, str] = {}
    merged: dict[str, Skill] = {}
    clashes = []
    for source in sorted(catalogs):
        for skill in catalogs[source]:
            known = merged.setdefault(skill.name, skill)
            owner.setdefault(skill.name, source)
            if known != skill:
                clashes.append(
                    Diagnostic(
                        path="catalog",
                        code="clashing_skill",
                        found=f"skill {skill.name!r} in source {source!r} and, with another "
                        f"definition, in source {owner[skill.name]!r}",
                        expected="one definition of a name",
                        fix="rename the skill in one of the two sources",
                    )
                )
    if clashes:
        raise UserError(clashes)
    return tuple(merged[name] for name in sorted(merged))


def encode_catalog(skills: Iterable[Skill]) -> bytes:
    """The catalog as the bytes of a JSON file: a list of tool definitions, by name."""
    definitions = [build_tool_definition(skill) for skill in sorted(skills, key=lambda one: one.name)]
    return msgspec.json.format(msgspec.json.encode(definitions), indent=2) + b"\n"


def decode_catalog(data: bytes) -> tuple[Skill, ...]:
    """The inverse of `encode_catalog`."""
    return tuple(parse_tool_definition(definition) for definition in msgspec.json.decode(data))


def _property(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": list(TYPES) if parameter.type is None else parameter.type,
        "description": parameter.description,
    }
    if parameter.enum:
        schema["enum"] = [parse_literal(value, parameter.type) for value in parameter.enum]
    if parameter.recognizer is not None:
        schema["x-recognizer"] = parameter.recognizer
    return schema
