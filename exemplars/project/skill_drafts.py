"""Skill files from tool definitions: a signature, its parameters, and a section for examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.documents import decode_json
from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.files import read_file
from exemplars.dataset.catalog import TYPES
from exemplars.project.openapi import parse_openapi
from exemplars.project.references import CYCLE, UNRESOLVED, find_marks, resolve_references
from stages.ingest.chat.conversations import FaultList
from stages.ingest.chat.tool_definitions import read_tools
from stages.ingest.reading import decode_text

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
    text = decode_text(str(path), read_file(path, expected="tool definitions"))
    definitions = parse_openapi(str(path), text) if is_openapi else parse_tool_file(str(path), text)
    drafts = [draft_skill(definition["function"]) for definition in definitions]
    names = [draft.name.casefold() for draft in drafts]
    repeated = sorted({draft.name for draft in drafts if names.count(draft.name.casefold()) > 1})
    if repeated:
        raise UserError([_problem(str(path), f"{summarize_names(repeated)} twice", "each tool once")])
    return drafts


def parse_tool_file(path: str, text: str) -> list[Mapping[str, Any]]:
    """Parse tool definitions: a list, or an object with `tools`, as MCP's `tools/list` answers.

    Raises `UserError` if they have another form.
    """
    try:
        document = decode_json(text)
    except msgspec.DecodeError as error:
        raise UserError([_problem(path, f"what is not JSON ({error})", "a list of definitions")]) from None
    result = document.get("result") if isinstance(document, Mapping) else None
    tools = document if not isinstance(document, Mapping) else (result or document).get("tools", document)
    faults = FaultList()
    definitions = [resolve_references(tool, tool) for tool in read_tools(tools, "", faults)]
    problems = [
        _problem(f"{path}#{fault.pointer}", fault.problem.found, fault.problem.expected)
        for fault in faults.freeze()
    ]
    if problems or not definitions:
        raise UserError(problems or [_problem(path, "no tool", "at least one")])
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
    schema = function.get("parameters") or {}
    required = schema.get("required") or ()
    signature, lines = [], []
    for raw, parameter in (schema.get("properties") or {}).items():
        slot = _clean_name(raw, r"\W")
        remarks += [] if slot == raw else [f"the parameter {raw} of {name} is called {slot}"]
        signature.append(f"{slot}={_write_value(slot, parameter)}")
        lines.append(f"{slot}: {', '.join(_list_facts(parameter, raw in required))}")
        remarks += _list_remarks(f"{name}.{slot}", parameter)
    description = " ".join(str(function.get("description") or "").split()) or f"Says what {name} does."
    parts = ["#### Prompt:", f"{name}({', '.join(signature)})", description, ""]
    parts += ["#### Parameters:", *lines, ""] if lines else []
    return SkillDraft(name, "\n".join([*parts, "#### Examples:", ""]), tuple(remarks))


def _clean_name(name: str, others: str) -> str:
    clean = re.sub(others, "_", name, flags=re.ASCII)[:_MAX_NAME].strip("_") or "tool"
    return clean if re.match("[A-Za-z_]", clean) else f"_{clean}"[:_MAX_NAME]


def _write_value(slot: str, parameter: Any) -> str:
    """Write what stands for a value in a signature: its values, or its description."""
    schema = parameter if isinstance(parameter, Mapping) else {}
    values = schema.get("enum")
    if isinstance(values, list) and _are_words(values):
        return f'"{"|".join(values)}"'
    text = " ".join(str(schema.get("description") or slot.replace("_", " ")).split())
    text = re.sub(r"[\[\]\"]", "'", text)
    is_text = schema.get("type", "string") == "string" and CYCLE not in schema
    return f'"[{text}]"' if is_text else f"[{text}]"


def _are_words(values: Sequence[Any]) -> bool:
    """Return whether values can be written as `add|list`."""
    word = re.compile(r"[^|\"\n]*\S[^|\"\n]*")
    return len(values) > 1 and all(isinstance(value, str) and word.fullmatch(value) for value in values)


def _list_facts(parameter: Any, is_required: bool) -> Iterator[str]:
    schema = parameter if isinstance(parameter, Mapping) else {}
    if schema.get("type") in TYPES:
        yield schema["type"]
    yield "required" if is_required else "optional"
    default = schema.get("default")
    if isinstance(default, str | int | float) and re.fullmatch(r"[^,\n]+", str(default)):
        yield f"default={default}"


def _list_remarks(place: str, parameter: Any) -> Iterator[str]:
    schema = parameter if isinstance(parameter, Mapping) else {}
    if schema.get("type") in ("array", "object"):
        yield f"{place} is an {schema['type']}: examples that fill it are rejected, since a value is a single literal"
    for mark, what in ((CYCLE, "a cycle"), (UNRESOLVED, "nothing in the file")):
        for reference in sorted(set(find_marks(schema, mark))):
            yield f"{place} refers to {what}: {reference}"


def _problem(path: str, found: str, expected: str) -> Diagnostic:
    fix = "name another file, or correct this one"
    return Diagnostic(path=path, code="bad_tools", found=found, expected=expected, fix=fix)
