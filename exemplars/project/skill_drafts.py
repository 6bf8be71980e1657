"""Skill files from tool definitions: a signature, its parameters, and a section for examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.files import read_file
from exemplars.core.slot_paths import parse_path
from exemplars.dataset.catalog import parse_tool_definition
from exemplars.dataset.openapi import parse_openapi
from exemplars.dataset.parameters import COMPOSED, TYPES, Parameter
from exemplars.dataset.references import describe_marks
from exemplars.dataset.schema_forms import find_schema_mistakes, normalize_parameters
from stages.ingest.reading import decode_text
from stages.ingest.tools import parse_tool_definitions

_FIX: Final = "name another file, or correct this one"
_MAX_NAME: Final = 64


class SkillDraft(NamedTuple):
    """A skill file that waits for examples."""

    name: str
    text: str
    remarks: tuple[str, ...]
    """What of the definition the file does not say, or says differently."""


def read_tool_drafts(path: Path, is_openapi: bool) -> list[SkillDraft]:
    """Draft a skill file for each tool of a file: tool definitions (OpenAI's or MCP's), or an OpenAPI document.

    Raises `UserError` if the file cannot be read, has another form, or has two tools of one name.
    """
    data = read_file(path, expected="tool definitions")
    if is_openapi:
        definitions = parse_openapi(str(path), decode_text(str(path), data))
    else:
        definitions = parse_tool_file(str(path), data)
    drafts = [draft_skill(definition["function"]) for definition in definitions]
    names = [draft.name.casefold() for draft in drafts]
    repeated = sorted({draft.name for draft in drafts if names.count(draft.name.casefold()) > 1})
    if repeated:
        raise UserError([_problem(str(path), f"{summarize_names(repeated)} twice", "each tool once")])
    return drafts


def parse_tool_file(path: str, data: bytes) -> list[dict[str, Any]]:
    """Parse tool definitions, as `parse_tool_definitions` does. Raises `UserError` if they are empty."""
    definitions = parse_tool_definitions(path, data, _FIX)
    if not definitions:
        raise UserError([_problem(path, "no tool", "at least one")])
    return definitions


def draft_skill(function: Mapping[str, Any]) -> SkillDraft:
    """Draft the skill file of a function.

    >>> function = {"name": "ring", "description": "Rings.", "parameters": {"properties": {"who": {"type": "string"}}}}
    >>> print(draft_skill(function).text)
    #### Prompt:
    ring(who="[who]")
    Rings.
    <BLANKLINE>
    #### Parameters:
    who: string, optional
    <BLANKLINE>
    #### Examples:
    <BLANKLINE>
    """
    name = _clean_name(function["name"], "[^A-Za-z0-9_-]")
    remarks = [] if name == function["name"] else [f"{function['name']} is called {name}"]
    parameters = normalize_parameters(function.get("parameters") or {})
    for found, place in list(find_schema_mistakes(parameters)):
        remarks.append(f"{name}.{place} has {found}: any value is accepted there")
        parameters["properties"][str(parse_path(place)[0])] = {}
    skill = parse_tool_definition({"function": {"name": name, "parameters": parameters}})
    signature, lines = [], []
    for parameter in skill.parameters:
        slot = _clean_name(parameter.name, r"\W")
        if slot != parameter.name:
            remarks.append(f"the parameter {parameter.name} of {name} is called {slot}")
        signature.append(f"{slot}={_write_value(slot, parameter)}")
        lines.append(f"{slot}: {', '.join(_list_facts(parameter))}")
        remarks += describe_marks(parameter.schema, f"{name}.{slot}")
    description = " ".join(str(function.get("description") or "").split()) or f"Says what {name} does."
    parts = ["#### Prompt:", f"{name}({', '.join(signature)})", description, ""]
    parts += ["#### Parameters:", *lines, ""] if lines else []
    return SkillDraft(name, "\n".join([*parts, "#### Examples:", ""]), tuple(remarks))


def _clean_name(name: str, others: str) -> str:
    clean = re.sub(others, "_", name, flags=re.ASCII)[:_MAX_NAME].strip("_") or "tool"
    return clean if re.match("[A-Za-z_]", clean) else f"_{clean}"[:_MAX_NAME]


def _write_value(slot: str, parameter: Parameter) -> str:
    """Write what stands for a value in a signature: its values, or its description."""
    if _are_words(parameter.enum):
        return f'"{"|".join(parameter.enum)}"'
    text = " ".join((parameter.description or slot.replace("_", " ")).split())
    text = re.sub(r"[\[\]\"]", "'", text)
    return f'"[{text}]"' if parameter.type == "string" else f"[{text}]"


def _are_words(values: Sequence[str]) -> bool:
    """Return whether values can be written as `add|list`."""
    word = re.compile(r"[^|\"\n]*\S[^|\"\n]*")
    return len(values) > 1 and all(map(word.fullmatch, values))


def _list_facts(parameter: Parameter) -> Iterator[str]:
    if parameter.schema is not None:
        schema = {key: value for key, value in parameter.schema.items() if key != "description"}
        yield json.dumps(schema, ensure_ascii=False)
    elif parameter.type in TYPES:
        yield parameter.type
    yield "required" if parameter.required else "optional"
    if parameter.composed:
        yield COMPOSED
    elif parameter.recognizer is not None:
        yield f"recognizer={parameter.recognizer}"
    if (
        parameter.schema is None
        and parameter.default is not None
        and re.fullmatch(r"[^,\n]+", parameter.default)
    ):
        yield f"default={parameter.default}"


def _problem(path: str, found: str, expected: str) -> Diagnostic:
    return Diagnostic(path=path, code="bad_tools", found=found, expected=expected, fix=_FIX)
