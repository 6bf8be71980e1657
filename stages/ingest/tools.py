"""`tools.json`, the catalog of labeled examples: tool definitions as OpenAI and MCP write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec

from exemplars.core.documents import RepeatedKeyError, decode_json
from exemplars.core.errors import Diagnostic, UserError, quote_text, suggest_name
from exemplars.dataset.catalog import Skill, parse_tool_definition
from exemplars.dataset.json_schemas import walk_schema
from exemplars.dataset.schema_forms import find_schema_mistakes, normalize_parameters
from stages.ingest.reading import decode_text, describe_json_error, lower_first

TOOLS_FILE: Final = "tools.json"
"""The catalog next to labeled examples."""
_Name = Annotated[str, msgspec.Meta(min_length=1)]
_FORM: Final = '[{"type": "function", "function": {"name", "description", "parameters"}}]'
_FIX: Final = "correct the file, or remove it to infer the catalog from the examples"


class _Parameters(msgspec.Struct):
    properties: dict[_Name, Any] = {}
    required: list[str] = []


class _Function(msgspec.Struct):
    name: _Name
    description: str = ""
    parameters: _Parameters | None = None
    mcp_parameters: _Parameters | None = msgspec.field(default=None, name="inputSchema")
    service: str | None = msgspec.field(default=None, name="x-service")


class _Tool(msgspec.Struct):
    function: _Function


def parse_tools(path: str, data: bytes) -> tuple[Skill, ...]:
    """Parse a list of tool definitions. Raises `UserError` if the file is something else."""
    return tuple(map(parse_tool_definition, parse_tool_definitions(path, data)))


def parse_tool_definitions(path: str, data: bytes, fix: str = _FIX) -> list[dict[str, Any]]:
    """Parse tool definitions of OpenAI, with or without `{"type": "function"}`, or of MCP's `tools/list`.

    Their parameters are normalized, as `normalize_parameters` says. fix: for messages.
    Raises `UserError` with all that is wrong.
    """
    text = decode_text(path, data)
    try:
        document = decode_json(text)
    except RepeatedKeyError as error:
        raise UserError([describe_json_error(path, data, error, _FORM)]) from None
    except msgspec.DecodeError as error:
        raise UserError([_describe(path, lower_first(str(error)), fix)]) from None
    base, tools = _find_tools(document)
    if not isinstance(tools, list):
        found = lower_first(_find_misfit(tools, list[Any]) or "")
        raise UserError([_describe(path, _locate(found, base), fix)])
    problems: list[Diagnostic] = []
    definitions = []
    for number, tool in enumerate(tools):
        misfit = _find_misfit(tool, _Function if _is_bare(tool) else _Tool)
        if misfit is not None:
            problems.append(_describe(path, _locate(lower_first(misfit), f"{base}[{number}]"), fix))
            continue
        definition = _normalize_tool(tool, document)
        mistakes = _find_mistakes(definition["function"])
        problems += [_describe(path, found, own or fix) for found, own in mistakes]
        definitions.append(definition)
    if problems:
        raise UserError(problems)
    return definitions


def _find_tools(document: Any) -> tuple[str, Any]:
    """Find the list of tools, and the path to it: the document itself, or what MCP's `tools/list` answers."""
    base = "$"
    for key in ("result", "tools"):
        if isinstance(document, Mapping) and key in document:
            base, document = f"{base}.{key}", document[key]
    return base, document


def _find_misfit(value: Any, type_: Any) -> str | None:
    """Find why a value does not have the form of a type."""
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        return str(error)
    return None


def _locate(message: str, base: str) -> str:
    """Add to a message of msgspec the path to the value that it is about."""
    if " - at `$" in message:
        return message.replace(" - at `$", f" - at `{base}")
    return message if base == "$" else f"{message} - at `{base}`"


def _is_bare(tool: Any) -> bool:
    return isinstance(tool, Mapping) and "name" in tool and "function" not in tool


def _normalize_tool(tool: Mapping[str, Any], document: Any) -> dict[str, Any]:
    """Normalize a tool that has the form of one. document: of which it is a part."""
    function = tool if _is_bare(tool) else tool["function"]
    parameters = function.get("parameters") or function.get("inputSchema") or {}
    others = {key: value for key, value in function.items() if key not in ("parameters", "inputSchema")}
    return {
        "type": "function",
        "function": {**others, "parameters": normalize_parameters(parameters, tool, document)},
    }


def _find_mistakes(function: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Find what is wrong with a normalized function: each mistake, and its remedy, empty if it has none of its own."""
    parameters = function["parameters"]
    mistakes = list(find_schema_mistakes(parameters))
    yield from ((f"{found} at {place} of {quote_text(function['name'])}", "") for found, place in mistakes)
    yield from _find_unknown_names(function["name"], parameters["properties"], parameters["required"])
    if not mistakes:
        yield from _find_double_fills(function["name"], parameters["properties"])


def _find_unknown_names(
    function: str, properties: Mapping[str, Any], required: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Find required parameters that are not declared."""
    required = list(required)
    for name in required:
        if name not in properties:
            found = f"{quote_text(function)} requires {quote_text(name)}, which its properties do not have"
            fix = suggest_name(name, properties, required) or "add the property, or correct its name"
            yield found, fix


def _find_double_fills(function: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Find parameters, and leaves of them, with a recognizer that something else is said to fill."""
    for place, schema in (pair for name, root in properties.items() for pair in walk_schema(root, name)):
        recognizer, filled_by = schema.get("x-recognizer"), schema.get("x-filled-by")
        for key, value in (("x-recognizer", recognizer), ("x-filled-by", filled_by)):
            if not isinstance(value, str | None):
                yield f"{key} {value!r} of {quote_text(place)}", "write a text: a name, `span` or `composed`"
        if recognizer is not None and filled_by not in (None, recognizer):
            found = (
                f"{quote_text(place)} of {quote_text(function)} with the recognizer {recognizer!r} "
                f"and x-filled-by {filled_by!r}"
            )
            yield found, "remove one of the two: a recognizer fills a parameter, or a span, or the model"


def _describe(path: str, found: str, fix: str) -> Diagnostic:
    return Diagnostic(
        path=path,
        code="bad_tools",
        found=found,
        expected=_FORM,
        fix=fix,
        summary=f"not a list of tool definitions: {found}",
    )
