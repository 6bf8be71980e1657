"""The skill catalog: the functions that can be called, as OpenAI-style tool definitions.

The form of a definition is that of `tools` in the OpenAI chat API: `{"type": "function",
"function": {"name", "description", "parameters": JSON Schema}}`. What JSON Schema has no keyword for
is kept under `x-` keys: `x-service` and `x-required` of the function, `x-recognizer`, `x-filled-by` and `x-dontcare`
of a parameter. A definition without these keys is still true to the calls of the dataset: every call validates against
its `parameters`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from exemplars.core.files import encode_json, read_json
from exemplars.core.slot_paths import format_path, parse_path
from exemplars.dataset.json_schemas import (
    find_subschema,
    list_leaf_paths,
    walk_schema,
)
from exemplars.dataset.parameter_schemas import build_property, list_filling, parse_property
from exemplars.dataset.parameters import COMPOSED, SPAN, Parameter

_REMEMBERED_PATHS: Final = 10_000
"""Paths of a skill whose parameters are remembered: lists of any length have any number."""


class Skill(msgspec.Struct, frozen=True, dict=True):
    """A function that can be called."""

    name: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    service: str | None = None
    place: str = ""
    """Where a source defines it, `path:line`, for messages; empty in the catalog of all sources."""
    inferred: bool = False
    """Whether it is only known from calls of it, so that a definition takes precedence."""

    @cached_property
    def parameter_by_name(self) -> dict[str, Parameter]:
        """The parameters by their names; of several with the same name, the first."""
        return {parameter.name: parameter for parameter in reversed(self.parameters)}

    def find_parameter(self, path: str) -> Parameter | None:
        """Return the parameter that a path leads to, or `None`.

        A leaf of an array or object is returned as a parameter whose name is its path.
        """
        known = self._parameter_by_path
        if path not in known:
            if len(known) == _REMEMBERED_PATHS:
                known.clear()
            known[path] = self._search_parameter(path)
        return known[path]

    @cached_property
    def _parameter_by_path(self) -> dict[str, Parameter | None]:
        """What `find_parameter` has found so far."""
        return {}

    def _search_parameter(self, path: str) -> Parameter | None:
        found = self.parameter_by_name.get(path)
        # A name that has a dot may be the path of a leaf of a different parameter.
        return found if found is not None and format_path((path,)) == path else self._find_leaf(path) or found

    def list_recognizers(self) -> list[tuple[str, str]]:
        """List the recognizers that fill parameters or their leaves: place and name, as `dishes[].day`."""
        own = [(parameter.name, parameter.recognizer) for parameter in self.parameters]
        inner = [
            (place, schema.get("x-recognizer", schema.get("x-filled-by")))
            for parameter in self.parameters
            if parameter.schema is not None
            for place, schema in walk_schema(parameter.schema, parameter.name)
        ]
        return [(place, name) for place, name in (*own, *inner) if name not in (None, SPAN, COMPOSED)]

    def list_leaf_paths(self) -> list[str]:
        """List the paths of the leaves that the parameters declare, with 0 as the index of every item."""
        return [
            format_path((parameter.name, *rest))
            for parameter in self.parameters
            for rest in (((),) if parameter.schema is None else list_leaf_paths(parameter.schema))
        ]

    def _find_leaf(self, path: str) -> Parameter | None:
        try:
            name, *rest = parse_path(path)
        except ValueError:
            return None
        root = self.parameter_by_name.get(name) if isinstance(name, str) else None
        if root is None or not rest:
            return root
        filling, schema = list_filling(root), root.schema
        for segment in rest:
            schema = None if schema is None else find_subschema(schema, (segment,))
            if schema is None:
                return None
            # What fills a list or an object fills its leaves, unless they say something else.
            if "x-filled-by" in schema or "x-recognizer" in schema:
                filling = {key: schema[key] for key in ("x-filled-by", "x-recognizer") if key in schema}
        return parse_property(path, {**(schema or {}), **filling})


def build_tool_definition(skill: Skill) -> dict[str, Any]:
    """Build the OpenAI-style tool definition of a skill.

    >>> skill = Skill("ring", "Rings a phone.", (Parameter("contact", required=True),))
    >>> build_tool_definition(skill)["function"]["parameters"]["properties"]
    {'contact': {'type': 'string', 'description': ''}}
    """
    properties = {parameter.name: build_property(parameter) for parameter in skill.parameters}
    required = [parameter.name for parameter in skill.parameters if parameter.required]
    function: dict[str, Any] = {
        "name": skill.name,
        "description": skill.description,
        "parameters": {"type": "object", "properties": properties, "required": required},
    }
    needed = [parameter.name for parameter in skill.parameters if parameter.needed]
    if needed:
        function["x-required"] = needed
    if skill.service is not None:
        function["x-service"] = skill.service
    if skill.place:
        function["x-place"] = skill.place
    if skill.inferred:
        function["x-inferred"] = True
    return {"type": "function", "function": function}


def parse_tool_definition(definition: Mapping[str, Any]) -> Skill:
    """Parse a tool definition: the inverse of `build_tool_definition`. Unknown keys are ignored.

    Raises `KeyError` or `TypeError` if it does not have the form of a tool definition.
    """
    function = definition["function"]
    schema = function.get("parameters") or {}
    required = set(schema.get("required", ()))
    needed = set(function.get("x-required", ()))
    return Skill(
        name=function["name"],
        description=function.get("description", ""),
        service=function.get("x-service"),
        place=function.get("x-place", ""),
        inferred=function.get("x-inferred", False),
        parameters=tuple(
            msgspec.structs.replace(
                parse_property(name, property_), required=name in required, needed=name in needed
            )
            for name, property_ in schema.get("properties", {}).items()
        ),
    )


def find_missing_parameters(skill: Skill, filled: Collection[str | None]) -> list[str]:
    """Find the required parameters that are not among the filled ones, by name, in the order of the skill."""
    return [
        parameter.name
        for parameter in skill.parameters
        if parameter.required and parameter.name not in filled
    ]


def encode_catalog(skills: Iterable[Skill]) -> bytes:
    """Encode a catalog as a JSON file: a list of tool definitions, sorted by name."""
    by_name = sorted(skills, key=lambda skill: skill.name)
    return encode_json([build_tool_definition(skill) for skill in by_name])


def decode_catalog(data: bytes) -> tuple[Skill, ...]:
    """Decode a catalog: the inverse of `encode_catalog`."""
    return tuple(parse_tool_definition(definition) for definition in msgspec.json.decode(data))


def read_catalog(path: Path) -> tuple[Skill, ...]:
    """Read a catalog that a stage wrote. Raises `UserError` if the file is missing or damaged."""
    definitions = read_json(
        path,
        list[dict[str, Any]],
        code="bad_catalog",
        expected="a catalog of this version",
        fix="run `dvc repro` to rebuild it",
    )
    return tuple(map(parse_tool_definition, definitions))
