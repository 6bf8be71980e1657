"""The skill catalog: the functions that can be called, as OpenAI-style tool definitions.

The form of a definition is that of `tools` in the OpenAI chat API: `{"type": "function",
"function": {"name", "description", "parameters": JSON Schema}}`. What JSON Schema has no keyword for
is kept under `x-` keys: `x-service` and `x-required` of the function, `x-recognizer`, `x-filled-by` and `x-dontcare`
of a parameter. A definition without these keys is still true to the calls of the dataset: every call validates against
its `parameters`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from exemplars.core.files import encode_json, read_json
from exemplars.core.literals import PYTHON_TYPES, find_type, format_literal, parse_literal
from exemplars.core.records import DONTCARE
from exemplars.core.slot_paths import format_path, parse_path
from exemplars.dataset.json_schemas import (
    admits_null,
    find_subschema,
    find_types,
    find_values,
    list_leaf_paths,
    walk_schema,
)

SPAN: Final = "span"
COMPOSED: Final = "composed"
"""What `x-filled-by` may say: a text of the utterance, a text that the model writes, or the name of a recognizer."""
TYPES: Final = tuple(PYTHON_TYPES)
"""The JSON types of literals."""
_FLAT_KEYS: Final = frozenset(
    {"type", "enum", "description", "default", "x-recognizer", "x-filled-by", "x-dontcare"}
)
"""The keys of a schema that a parameter has fields for."""


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a skill."""

    name: str
    description: str = ""
    type: str | None = "string"
    """One of `TYPES`, `array` or `object`; `None` accepts any literal, or what `schema` says."""
    enum: tuple[str, ...] = ()
    """The values that are accepted, as text; empty: any value."""
    required: bool = False
    """Whether every call fills it."""
    recognizer: str | None = None
    """The recognizer that maps expressions to values, if one does."""
    needed: bool = False
    """Whether the service needs it, although a call need not fill it: the dialogue asks for it in a later turn."""
    dontcare: bool = False
    """Whether `dontcare` is a value as well, in addition to those of `type` and `enum`."""
    composed: bool = False
    """Whether the model writes the value, so that no span is searched; never together with a recognizer."""
    default: str | None = None
    """The value of a call that leaves the parameter out, as text; `None`: it declares none."""
    schema: Mapping[str, Any] | None = None
    """The JSON Schema, if the fields above do not say all of it: of an array, an object, several types, a format.

    An empty one accepts any value, lists and objects included.
    """

    @property
    def accepts_null(self) -> bool:
        """Whether a call may fill it with `None`."""
        return self.schema is not None and admits_null(self.schema)

    @property
    def accepts_dontcare(self) -> bool:
        """Whether a call may fill it with `dontcare`; free text may be anything."""
        is_free_text = not self.enum and self.type in ("string", None) and not self.schema
        return self.dontcare or is_free_text or DONTCARE in self.enum


class Skill(msgspec.Struct, frozen=True):
    """A function that can be called."""

    name: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    service: str | None = None
    place: str = ""
    """Where a source defines it, `path:line`, for messages; empty in the catalog of all sources."""
    inferred: bool = False
    """Whether it is only known from calls of it, so that a definition takes precedence."""

    def find_parameter(self, path: str) -> Parameter | None:
        """Return the parameter that a path leads to, or `None`.

        A leaf of an array or object is returned as a parameter whose name is its path.
        """
        found = next((parameter for parameter in self.parameters if parameter.name == path), None)
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
        root = next((parameter for parameter in self.parameters if parameter.name == name), None)
        if root is None or not rest:
            return root
        filling, schema = _list_filling(root), root.schema
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
    properties = {parameter.name: _build_property(parameter) for parameter in skill.parameters}
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


def _list_filling(parameter: Parameter) -> dict[str, Any]:
    """List what the leaves of a parameter inherit from it: who writes their values."""
    if parameter.composed:
        return {"x-filled-by": COMPOSED}
    return {} if parameter.recognizer is None else {"x-recognizer": parameter.recognizer}


def build_value_schema(parameter: Parameter) -> dict[str, Any]:
    """Build the JSON Schema of the values of a parameter, without its description and without what fills it.

    >>> build_value_schema(Parameter("n", "how many", type="integer", composed=True))
    {'type': 'integer'}
    """
    ignored = ("description", "x-filled-by", "x-recognizer")
    return {key: value for key, value in _build_property(parameter).items() if key not in ignored}


def _build_property(parameter: Parameter) -> dict[str, Any]:
    """Build the JSON Schema of a parameter, which admits exactly the values that its calls may have."""
    if parameter.schema is not None:
        return {**parameter.schema, "description": parameter.description, **_list_filling(parameter)}
    values: dict[str, Any] = {"type": list(TYPES) if parameter.type is None else parameter.type}
    if parameter.enum:
        values["enum"] = [parse_literal(value, parameter.type) for value in parameter.enum]
    if parameter.dontcare and parameter.enum and parameter.type in ("string", None):
        values["enum"].append(DONTCARE)
    elif parameter.dontcare and parameter.type not in ("string", None):
        values = {"anyOf": [values, {"type": "string", "enum": [DONTCARE]}]}
    schema = {**values, "description": parameter.description}
    if "enum" in schema:  # The last key, as in definitions that are written by hand.
        schema["enum"] = schema.pop("enum")
    if parameter.recognizer is not None:
        schema["x-recognizer"] = parameter.recognizer
    if parameter.composed:
        schema["x-filled-by"] = COMPOSED
    if parameter.default is not None:
        schema["default"] = parse_literal(parameter.default, parameter.type)
    if parameter.dontcare:
        schema["x-dontcare"] = True
    return schema


def parse_property(name: str, schema: Mapping[str, Any]) -> Parameter:
    """Parse the JSON Schema of a parameter, in normal form; of its types, `null` and that of `dontcare` do not count.

    >>> parse_property("size", {"enum": ["S", "M", None]}).enum
    ('S', 'M')
    """
    values, dontcare = _split_dontcare(schema)
    type_ = _find_type(values)
    enum = find_values(values) or []
    if schema.get("x-dontcare"):
        dontcare, enum = True, [value for value in enum if value != DONTCARE]
    description = schema.get("description")
    filled_by, default = schema.get("x-filled-by", SPAN), schema.get("default")
    return Parameter(
        name=name,
        description=description if isinstance(description, str) else "",
        type=type_,
        enum=tuple(map(format_literal, enum)) if all(map(find_type, enum)) else (),
        recognizer=schema.get("x-recognizer") or (filled_by if filled_by not in (SPAN, COMPOSED) else None),
        dontcare=dontcare,
        composed=filled_by == COMPOSED,
        default=format_literal(default) if find_type(default) else None,
        schema=None if _is_flat(schema, values, type_) else _select_schema(schema, dontcare),
    )


def _split_dontcare(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Return a schema without the alternative `dontcare`, and whether it had one."""
    options = schema.get("anyOf")
    others = [option for option in _list(options) if not _is_dontcare(option)]
    if len(others) == len(_list(options)):
        return schema, False
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return ({**rest, **others[0]} if len(others) == 1 else {**rest, "anyOf": others}), True


def _find_type(schema: Mapping[str, Any]) -> str | None:
    """Find the only type that a schema leaves, except `null`; `None` if it leaves several."""
    types = (find_types(schema) or frozenset()) - {"null"}
    if types == {"integer", "number"}:
        return "number"
    return next(iter(types)) if len(types) == 1 else None


def _is_flat(schema: Mapping[str, Any], values: Mapping[str, Any], type_: str | None) -> bool:
    """Return whether the other fields of a parameter say all that its schema does. values: without `dontcare`."""
    declared, enum = values.get("type"), values.get("enum")
    if values.keys() - _FLAT_KEYS or (values is not schema and len(schema["anyOf"]) != 2):
        return False
    if type_ not in (*TYPES, None) or declared not in (type_, None, list(TYPES)):
        return False
    if declared is None and enum is None:
        return False
    literals = [*_list(enum), *([values["default"]] if "default" in values else [])]
    return all(_is_literal(value, type_) for value in literals)


def _is_literal(value: object, type_: str | None) -> bool:
    """Return whether a value comes back from the text of a literal."""
    if find_type(value) is None:
        return False
    read = parse_literal(format_literal(value), type_)
    return type(read) is type(value) and read == value


def _select_schema(schema: Mapping[str, Any], dontcare: bool) -> dict[str, Any]:
    """Return a schema without what the other fields of a parameter say. dontcare: whether it accepts `dontcare`."""
    rest = {
        key: value
        for key, value in schema.items()
        if key not in ("x-filled-by", "x-recognizer")
        and not (key == "description" and isinstance(value, str))
    }
    if not dontcare or any(map(_is_dontcare, _list(schema.get("anyOf")))):
        return rest
    del rest["x-dontcare"]
    outer = {"default": rest.pop("default")} if "default" in rest else {}
    return {"anyOf": [rest, {"type": "string", "enum": [DONTCARE]}], "x-dontcare": True, **outer}


def _is_dontcare(option: object) -> bool:
    return isinstance(option, Mapping) and (
        option.get("enum") == [DONTCARE] or option.get("const") == DONTCARE
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
