"""The grammar of the answers that tools admit, from their JSON Schemas, in xgrammar's EBNF.

xgrammar writes grammars of JSON Schemas as well, but only of JSON, and calls in Python's syntax are to admit the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exemplars.core.records import DONTCARE
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.expressions.readings import list_readings
from exemplars.models.calls import NO_CALL, CallFormat, format_argument_name, format_call_name, format_value
from exemplars.models.copying import CopyRules, Unit, list_units

_COMMON: Final = r"""
string ::= "\"" character* "\""
character ::= [^"\\\x00-\x1f] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})
integer ::= "-"? ("0" | [1-9] [0-9]*)
number ::= integer ("." [0-9]+)? ([eE] [+-]? [0-9]+)?
"""
_EMPTY: Final = '""'
"""The text without characters."""
_TYPES: Final = frozenset({"string", "integer", "number", "boolean", "null", "array", "object"})
_OBJECT_KEYS: Final = frozenset({"properties", "additionalProperties"})
_ARRAY_KEYS: Final = frozenset({"items", "prefixItems"})
"""The keys that say the type of a schema that names none."""
_ANY_DEPTH: Final = 8
"""How deep a value may be nested that no schema describes."""
_MAX_COUNTED: Final = 100
"""The greatest number of items that is counted; greater bounds are not part of the grammar."""
_SHORT_ESCAPE: Final = re.compile("[\x7f-\xff](?=[0-9a-fA-F])")
"""Characters that xgrammar writes as `\\x7f`, and reads with the next one, as if that were the third digit."""
Schema = Mapping[str, Any]


class Copying(NamedTuple):
    """Limits the texts of arguments to what was said."""

    rules: CopyRules
    texts: Sequence[str]
    """What the prompt says: the utterance, and the turns before it that it shows."""


def build_call_grammar(
    tools: Sequence[Skill], form: CallFormat, *, must_call: bool = False, copying: Copying | None = None
) -> str:
    """Build a grammar whose texts are exactly: a call of one of the tools, several such calls, or no call.

    must_call: leave out "no call", unless there is no tool. copying: a text is then a span of what was said, of whole
    words and signs, what an expression in it means (`08:30`), `dontcare`, or a value that the parameter has in train
    rows whose prompts do not say it. Parameters with composed values, in train rows or by the catalog, have any texts;
    with `None`, all have.

    Arguments are in the order of the catalog, each at most once, and the members of an object are in the order of its
    schema. A value has what its schema says of types, listed values, items, properties and required properties; what
    it says of texts and numbers (patterns, formats, bounds) is not part of the grammar. A value that no schema
    describes is any value of JSON; where a schema leads back to itself, it describes nothing.
    """
    return _Writer(form, copying).write(tools, must_call)


class _Writer:
    """Writes the rules of a grammar, each of them once."""

    def __init__(self, form: CallFormat, copying: Copying | None) -> None:
        self._form = form
        self._copying = copying
        self._composed: frozenset[tuple[str, str]] = frozenset()
        """The parameters, each after its tool, that the catalog says a model writes."""
        self._text = "string"
        """The rule of the texts of the parameter that is being written."""
        self._rules: dict[str, str] = {}
        """The names of the rules, by what they derive."""

    def write(self, tools: Sequence[Skill], must_call: bool) -> str:
        self._composed = frozenset(
            (tool.name, parameter.name)
            for tool in tools
            for parameter in tool.parameters
            if parameter.composed
        )
        calls = self._alternate(self._write_call(build_tool_definition(tool)["function"]) for tool in tools)
        none = _quote(NO_CALL[self._form])
        several = f'"[" {calls} (", " {calls})+ "]"'
        answers = [*([] if tools and must_call else [none]), *([calls, several] if tools else [])]
        rules = [f"root ::= {' | '.join(answers)}"]
        rules += [f"{name} ::= {body}" for body, name in self._rules.items()]
        true, false, null = (_quote(format_value(value, self._form)) for value in (True, False, None))
        return "\n".join([*rules, f"boolean ::= {true} | {false}", f"null ::= {null}"]) + _COMMON

    def _name(self, body: str) -> str:
        """Name a rule for what it derives; a name is its own."""
        if body.isidentifier():
            return body
        return self._rules.setdefault(body, f"rule{len(self._rules)}")

    def _alternate(self, bodies: Iterable[str]) -> str:
        return self._name(" | ".join(dict.fromkeys(bodies)))

    def _write_call(self, function: Schema) -> str:
        name = format_call_name(function["name"], self._form)
        if self._form == CallFormat.PYTHON:
            opening, closing = f"{name}(", ")"
        else:
            opening, closing = f'{{"name": {name}, "arguments": {{', "}}"
        equals = "=" if self._form == CallFormat.PYTHON else ": "
        members = []
        for argument, schema in function["parameters"]["properties"].items():
            self._text = self._write_texts(function["name"], argument)
            value = self._write_value(schema)
            members.append((f"{_quote(format_argument_name(argument, self._form) + equals)} {value}", False))
        return self._name(f"{_quote(opening)} {self._write_members(members, None)} {_quote(closing)}")

    def _write_members(self, members: Sequence[tuple[str, bool]], other: str | None) -> str:
        """Write what is between brackets: members in their order, after commas.

        members: each with whether it is required. other: what may follow them, any number of times.
        """
        after = _EMPTY if other is None else f'(", " {other})*'
        first = _EMPTY if other is None else f"({other} {after})?"
        for member, is_required in reversed(members):
            first = self._name(f"{member} {after}" if is_required else f"{member} {after} | {first}")
            after = self._name(f'", " {member} {after}' if is_required else f'(", " {member})? {after}')
        return first

    def _write_value(self, schema: Any, depth: int = _ANY_DEPTH) -> str:
        """Write a rule for the values of a schema. depth: of a value that no schema describes."""
        options = _list_options(schema) if isinstance(schema, Mapping) else None
        if options is None:
            return self._write_any(depth)
        if options != [schema]:
            return self._alternate([self._write_value(option, depth) for option in options])
        if schema.get("enum"):
            return self._alternate(_quote(format_value(value, self._form)) for value in schema["enum"])
        if schema["type"] == "array":
            return self._write_array(schema, depth)
        if schema["type"] == "object":
            return self._write_object(schema, depth)
        return self._text if schema["type"] == "string" else str(schema["type"])

    def _write_texts(self, skill: str, parameter: str) -> str:
        """Write a rule for the texts of a parameter.

        A rule for each word of what was said, which may be followed by that of the next one, derives all spans: their
        number grows with the square of the words, that of the rules does not.
        """
        if self._copying is None or (skill, parameter) in self._copying.rules.free | self._composed:
            return "string"
        starts = [start for text in self._copying.texts for start in self._write_spans(list_units(text))]
        readings = (reading for text in self._copying.texts for reading in list_readings(text))
        values = (DONTCARE, *self._copying.rules.values.get((skill, parameter), ()), *readings)
        options = [*starts, *(_quote(_escape(value)) for value in values)]
        return self._name(f'"\\"" {self._alternate(options)} "\\""')

    def _write_spans(self, units: Sequence[Unit]) -> list[str]:
        """Write a rule for the spans that begin with each unit of a text."""
        starts: list[str] = []
        rest = _EMPTY
        for place, unit in reversed(list(enumerate(units))):
            starts.append(self._name(f"{_quote(_escape(unit.text))} {rest}"))
            if place:
                rest = self._name(f"({_quote(_escape(unit.space))} {starts[-1]})?")
        return starts

    def _write_array(self, schema: Schema, depth: int) -> str:
        is_old = isinstance(schema.get("items"), list)  # The form of tuples before JSON Schema 2020-12.
        first = schema["items"] if is_old else schema.get("prefixItems", ())
        others = schema.get("additionalItems" if is_old else "items", True)
        least, most = _get_count(schema, "minItems") or 0, _get_count(schema, "maxItems")
        other = None if others is False else self._write_value(others, depth)
        if first:
            items = [(self._write_value(item, depth), place < least) for place, item in enumerate(first)]
            return self._write_tuple(items, other)
        if other is None or most == 0:
            return self._name('"[]"')
        counted = f"{{{max(least - 1, 0)},{'' if most is None else max(most, least) - 1}}}"
        filled = f'"[" {other} (", " {other}){counted} "]"'
        return self._name(filled if least else f'"[]" | {filled}')

    def _write_tuple(self, items: Sequence[tuple[str, bool]], other: str | None) -> str:
        """Write a list whose first items have schemas of their own, each with whether it is required."""
        rest = _EMPTY if other is None else f'(", " {other})*'
        for place, (item, is_required) in reversed(list(enumerate(items))):
            comma = _quote(", ") if place else _EMPTY
            rest = self._name(f"{comma} {item} {rest}" if is_required else f"({comma} {item} {rest})?")
        return self._name(f'"[" {rest} "]"')

    def _write_object(self, schema: Schema, depth: int) -> str:
        properties = schema.get("properties") or {}
        required = schema.get("required") or ()
        members = [
            (
                f"{_quote(format_value(name, self._form) + ': ')} {self._write_value(value, depth)}",
                name in required,
            )
            for name, value in properties.items()
        ]
        others = schema.get("additionalProperties", not properties)
        other = None if others is False else f'string ": " {self._write_value(others, depth)}'
        return self._name(f'"{{" {self._write_members(members, other)} "}}"')

    def _write_any(self, depth: int) -> str:
        """Write a rule for any value, as deep as is left."""
        nested = [{"type": "array", "items": {}}, {"type": "object"}] if depth else []
        values = [self._write_value(schema, depth - 1) for schema in nested]
        return self._alternate(("string", "number", "boolean", "null", *values))


def _list_options(schema: Schema) -> list[Schema] | None:
    """List simpler schemas that a value may satisfy; the schema itself, if it is simple; `None`: any value does."""
    options = next((schema[key] for key in ("anyOf", "oneOf") if isinstance(schema.get(key), list)), None)
    if schema.get("nullable") is True:
        return [_leave_out(schema, "nullable"), {"type": "null"}]
    if "const" in schema:
        return [{"enum": [schema["const"]]}]
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return [schema]
    if options:
        common = _leave_out(schema, "anyOf", "oneOf")
        return [{**common, **option} for option in options if isinstance(option, Mapping)] or None
    if isinstance(schema.get("allOf"), list):
        return _list_options(_merge(_leave_out(schema, "allOf"), schema["allOf"]))
    type_ = schema.get("type")
    if isinstance(type_, list) and len(type_) > 1:
        return [{**schema, "type": name} for name in type_]
    if isinstance(type_, list):
        return _list_options({**schema, "type": next(iter(type_), None)})
    if type_ is None and _OBJECT_KEYS & schema.keys():
        return [{**schema, "type": "object"}]
    if type_ is None and _ARRAY_KEYS & schema.keys():
        return [{**schema, "type": "array"}]
    return [schema] if type_ in _TYPES else None


def _leave_out(schema: Schema, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in keys}


def _merge(schema: dict[str, Any], parts: Sequence[Any]) -> dict[str, Any]:
    """Merge schemas that all hold: their properties and required properties, of other keys the last."""
    merged = dict(schema)
    for part in parts:
        if isinstance(part, Mapping):
            properties = {**(merged.get("properties") or {}), **(part.get("properties") or {})}
            required = [*(merged.get("required") or ()), *(part.get("required") or ())]
            merged |= part
            if properties:
                merged |= {"properties": properties, "required": required}
    return merged


def _get_count(schema: Schema, key: str) -> int | None:
    """Return a bound on the number of items; `None`: it has none, or one that is too great to be counted."""
    count = schema.get(key)
    return count if isinstance(count, int) and 0 <= count <= _MAX_COUNTED else None


def _escape(text: str) -> str:
    """Escape a text as it is within the quotation marks of a value."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _quote(text: str) -> str:
    """Quote a text as a literal of the grammar."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _SHORT_ESCAPE.sub(r'\g<0>" "', escaped) + '"'
