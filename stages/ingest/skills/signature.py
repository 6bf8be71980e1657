"""The signature of a skill: `weather(location="[city]", unit="celsius|fahrenheit", days=[count])`."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.documents import decode_json
from exemplars.core.errors import Diagnostic, quote_text, suggest_name
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameter_schemas import parse_property
from exemplars.dataset.parameters import COMPOSED, TYPES, Parameter
from exemplars.dataset.schema_forms import normalize_schema
from stages.ingest.skills.outline import Line, Outline

_HEAD: Final = re.compile(r"\s*(?P<name>[A-Za-z_][A-Za-z0-9_-]{0,63})\s*\(\s*")
_PARAMETER: Final = re.compile(
    r"(?P<name>[A-Za-z_]\w*)\s*=\s*"
    r"(?:(?P<quote>[\"'])(?P<quoted>.*?)(?P=quote)|\[(?P<unquoted>[^\]]*)\])\s*(?P<next>,\s*|(?=\)))"
)
_NESTED: Final = ("array", "object")
"""The types of parameters that have leaves."""
_DECLARATION: Final = re.compile(r"\s*(?:-\s*)?(?P<name>\w+)\s*:\s*(?P<facts>.*)$")


class ParsedSignature(NamedTuple):
    """A skill, and what is wrong with the sections that declare it."""

    skill: Skill | None
    """`None`: the signature cannot be read."""
    diagnostics: tuple[Diagnostic, ...]


def parse_signature(outline: Outline) -> ParsedSignature:
    """Parse the skill that the sections `Prompt` and `Parameters` declare."""
    if not outline.prompt:
        missing = outline.make_diagnostic(
            Line("", 1, 1),
            "missing_prompt",
            "no section `#### Prompt:` with a signature",
            '`#### Prompt:` and a line such as weather(location="[city]")',
            "add it at the top of the file",
        )
        return ParsedSignature(None, (missing,))
    first, *others = outline.prompt
    parsed = _parse_first_line(outline, first)
    if isinstance(parsed, Diagnostic):
        return ParsedSignature(None, (parsed,))
    name, parameters, rest = parsed
    by_name = {parameter.name: parameter for parameter in parameters}
    declared, diagnostics = _apply_declarations(outline, by_name)
    description = " ".join([rest, *(line.text.strip() for line in others)]).strip()
    skill = Skill(name, description, tuple(declared.values()))
    return ParsedSignature(skill, tuple(diagnostics))


def locate_signature_names(text: str) -> dict[str | None, int]:
    """Locate the names in the first line of a signature: that of the skill under `None`, and of each parameter.

    Return the position of each, in code points; nothing if the line is no signature.

    >>> locate_signature_names('ring(who="[whom]", loud=[yes or no])')
    {None: 0, 'who': 5, 'loud': 19}
    """
    head = _HEAD.match(text)
    if head is None:
        return {}
    names: dict[str | None, int] = {None: head.start("name")}
    match = _PARAMETER.match(text, head.end())
    while match is not None:
        names[match["name"]] = match.start("name")
        match = _PARAMETER.match(text, match.end())
    return names


def locate_declared_name(text: str) -> tuple[str, int] | None:
    """Locate the name in a line of the section `Parameters`: the name and its position; `None`: it has none."""
    match = _DECLARATION.match(text)
    return None if match is None else (match["name"], match.start("name"))


def _parse_first_line(outline: Outline, line: Line) -> tuple[str, list[Parameter], str] | Diagnostic:
    """Parse the name, the parameters, and the text after the closing parenthesis."""
    head = _HEAD.match(line.text)
    if head is None:
        return _malformed(outline, line, 0, "name(parameter=…)")
    position = head.end()
    parameters: list[Parameter] = []
    names: set[str] = set()
    while not line.text.startswith(")", position):
        match = _PARAMETER.match(line.text, position)
        if match is None:
            expected = (
                'parameter="[description]", parameter="one|other" or parameter=[description], then , or )'
            )
            return _malformed(outline, line, position, expected)
        parameter = _parse_parameter(match)
        if parameter is None:
            return _malformed(outline, line, match.start("quoted"), '"[description]" or "one|other"')
        if parameter.name in names:
            return _malformed(outline, line, position, f"parameter {parameter.name!r} once")
        parameters.append(parameter)
        names.add(parameter.name)
        position = match.end()
    return head["name"], parameters, line.text[position + 1 :].strip(" \t:-")


def _parse_parameter(match: re.Match[str]) -> Parameter | None:
    if match["unquoted"] is not None:
        return Parameter(match["name"], match["unquoted"].strip(), type=None)
    quoted = match["quoted"]
    if quoted.startswith("[") and quoted.endswith("]"):
        return Parameter(match["name"], quoted[1:-1].strip())
    values = tuple(value.strip() for value in quoted.split("|"))
    if len(values) < 2 or not all(values):
        return None
    return Parameter(match["name"], enum=values)


def _apply_declarations(
    outline: Outline, parameters: dict[str, Parameter]
) -> tuple[dict[str, Parameter], list[Diagnostic]]:
    """Add what the section `Parameters` says to the parameters of the signature, in their order."""
    declared, diagnostics = dict(parameters), []
    for line in outline.parameters:
        match = _DECLARATION.match(line.text)
        if match is None or match["name"] not in parameters:
            found = quote_text(line.text) if match is None else f"parameter {quote_text(match['name'])}"
            known = f"a name among {', '.join(parameters)}" if parameters else "no parameter in the signature"
            form = "`name: type or JSON Schema, required|optional, composed|recognizer=NAME, default=VALUE`"
            expected = f"{form} with {known}"
            fix = suggest_name(match["name"] if match else "", parameters) or "correct the line"
            diagnostics.append(outline.make_diagnostic(line, "malformed_parameter", found, expected, fix))
            continue
        parameter = _apply_facts(parameters[match["name"]], match["facts"])
        if isinstance(parameter, str):
            found, expected = (
                quote_text(parameter),
                f"one of {', '.join((*TYPES, *_NESTED))}, a JSON Schema, required, optional, "
                "composed or recognizer=NAME, default=VALUE",
            )
            diagnostics.append(
                outline.make_diagnostic(line, "malformed_parameter", found, expected, "correct the line")
            )
        else:
            declared[match["name"]] = parameter
    return declared, diagnostics


def _apply_facts(parameter: Parameter, facts: str) -> Parameter | str:
    """Add declared facts, such as `integer, required`, to a parameter; return the first fact that does not fit.

    The model writes the value of a `composed` parameter, so that it has no recognizer.
    """
    if facts.startswith("{"):
        declared = _apply_schema(parameter, facts)
        if declared is None:
            return facts
        parameter, facts = declared
    changes: dict[str, Any] = {}
    for fact in map(str.strip, facts.split(",") if facts else ()):
        name, _, value = fact.partition("=")
        if fact in TYPES:
            changes["type"] = fact
        elif fact in _NESTED:
            changes |= {"type": fact, "schema": {"type": fact}}
        elif fact in ("required", "optional"):
            changes["required"] = fact == "required"
        elif name.strip() == "recognizer" and value.strip():
            changes["recognizer"] = value.strip()
        elif fact == COMPOSED:
            changes["composed"] = True
        elif name.strip() == "default" and value.strip():
            changes["default"] = value.strip()
        else:
            return fact
        if changes.get("composed") and changes.get("recognizer"):
            return fact
    return msgspec.structs.replace(parameter, **changes)


def _apply_schema(parameter: Parameter, facts: str) -> tuple[Parameter, str] | None:
    """Add the JSON Schema that facts begin with; return the parameter and the other facts, or `None`."""
    from jsonschema import Draft202012Validator  # Most skill files have no schema.
    from jsonschema.exceptions import SchemaError

    try:
        _, end = json.JSONDecoder().raw_decode(facts)
        schema = decode_json(facts[:end])
        Draft202012Validator.check_schema(normalize_schema(schema))
    except (ValueError, RecursionError, SchemaError):
        return None
    others = re.fullmatch(r"\s*(?:,(.*))?", facts[end:])
    if others is None or '"$ref"' in facts[:end]:
        return None
    described = {"description": parameter.description, **schema}
    return parse_property(parameter.name, normalize_schema(described)), others[1] or ""


def _malformed(outline: Outline, line: Line, position: int, expected: str) -> Diagnostic:
    place = line._replace(column=line.column + position)
    found = quote_text(line.text[position:]) if position < len(line.text) else "the end of the line"
    return outline.make_diagnostic(place, "malformed_signature", found, expected, "correct the signature")
