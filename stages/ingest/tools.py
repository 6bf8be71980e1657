"""`tools.json`, the catalog of labeled examples: OpenAI-style tool definitions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

import msgspec

from exemplars.core.documents import RepeatedKeyError, decode_json
from exemplars.core.errors import Diagnostic, UserError, quote_text, suggest_name
from exemplars.dataset.catalog import Skill, parse_tool_definition
from stages.ingest.reading import decode_text, describe_json_error, lower_first

TOOLS_FILE: Final = "tools.json"
"""The catalog next to labeled examples."""
_Name = Annotated[str, msgspec.Meta(min_length=1)]
_FORM: Final = '[{"type": "function", "function": {"name", "description", "parameters"}}]'


class _Property(msgspec.Struct):
    description: str = ""
    enum: list[str | int | float | bool | None] = []
    any_of: list[dict[str, Any]] = msgspec.field(default=[], name="anyOf")
    recognizer: str | None = msgspec.field(default=None, name="x-recognizer")
    filled_by: str | None = msgspec.field(default=None, name="x-filled-by")


class _Parameters(msgspec.Struct):
    properties: dict[_Name, _Property] = {}
    required: list[str] = []


class _Function(msgspec.Struct):
    name: _Name
    description: str = ""
    parameters: _Parameters | None = None
    service: str | None = msgspec.field(default=None, name="x-service")


class _Tool(msgspec.Struct):
    function: _Function


def parse_tools(path: str, data: bytes) -> tuple[Skill, ...]:
    """Parse a list of OpenAI-style tool definitions. Raises `UserError` if the file is something else."""
    text = decode_text(path, data)
    try:
        definitions = decode_json(text)
        tools = msgspec.convert(definitions, list[_Tool])
    except RepeatedKeyError as error:
        raise UserError([describe_json_error(path, data, error, _FORM)]) from None
    except msgspec.DecodeError as error:
        raise UserError([_describe(path, lower_first(str(error)))]) from None
    mistakes = (
        mistake
        for tool in tools
        for find in (_find_unknown_names, _find_double_fills)
        for mistake in find(tool.function)
    )
    problems = [_describe(path, *mistake) for mistake in mistakes]
    if problems:
        raise UserError(problems)
    return tuple(parse_tool_definition(definition) for definition in definitions)


def _find_unknown_names(function: _Function) -> Iterable[tuple[str, str]]:
    """Find required parameters that are not declared: what is wrong with each, and the remedy."""
    parameters = function.parameters or _Parameters()
    known = parameters.properties
    for name in parameters.required:
        if name not in known:
            found = (
                f"{quote_text(function.name)} requires {quote_text(name)}, which its properties do not have"
            )
            yield (
                found,
                suggest_name(name, known, parameters.required) or "add the property, or correct its name",
            )


def _find_double_fills(function: _Function) -> Iterable[tuple[str, str]]:
    """Find parameters with a recognizer that something else is said to fill."""
    for name, property_ in (function.parameters or _Parameters()).properties.items():
        if property_.recognizer is not None and property_.filled_by not in (None, property_.recognizer):
            found = (
                f"{quote_text(name)} of {quote_text(function.name)} with the recognizer {property_.recognizer!r} "
                f"and x-filled-by {property_.filled_by!r}"
            )
            yield found, "remove one of the two: a recognizer fills a parameter, or a span, or the model"


def _describe(
    path: str, found: str, fix: str = "correct the file, or remove it to infer the catalog from the examples"
) -> Diagnostic:
    return Diagnostic(
        path=path,
        code="bad_tools",
        found=found,
        expected=_FORM,
        fix=fix,
        summary=f"not a list of tool definitions: {found}",
    )
