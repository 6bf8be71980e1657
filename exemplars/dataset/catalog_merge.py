"""Catalogs of several sources as one: where each skill is defined, and what differs between two definitions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError, quote_text, summarize_names
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameter_schemas import build_value_schema
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.skill_union import unite_inferred, unite_skills

_MISSING: Final = object()
_FIX: Final = "make them equal, or rename one of the two"


def merge_catalogs(catalogs: Mapping[str, Sequence[Skill]], *, unite: bool = False) -> tuple[Skill, ...]:
    """Merge the catalogs of all sources into one, sorted by the names of the skills; the first place is kept.

    A skill that is inferred from calls gives way to a definition; several inferred ones are united.

    catalogs: the skills of each source, by the name of the source. unite: unite different definitions of a skill,
    as `unite_skills` does. Raises `UserError` with every skill that is defined differently somewhere else.
    """
    owner: dict[str, str] = {}
    merged: dict[str, Skill] = {}
    clashes = []
    for source in sorted(catalogs):
        for skill in catalogs[source]:
            known = merged.setdefault(skill.name, skill)
            owner.setdefault(skill.name, source)
            if known.inferred or skill.inferred:
                if known.inferred:
                    merged[skill.name] = unite_inferred(known, skill) if skill.inferred else skill
                    owner[skill.name] = source
                continue
            if known == skill or not (differences := compare_skills(known, skill)):
                continue
            united = unite_skills(known, skill)
            if unite and united is not None:
                merged[skill.name] = united
            else:
                pair = (owner[skill.name], known), (source, skill)
                clashes.append(_describe_clash(*pair, differences, united))
    if clashes:
        raise UserError(clashes)
    return tuple(merged[name] for name in sorted(merged))


def compare_skills(first: Skill, second: Skill) -> list[str]:
    """List what differs between two definitions of a skill; where they are does not matter.

    >>> from exemplars.dataset.parameters import Parameter
    >>> compare_skills(Skill("ring", "Rings.", (Parameter("who"),)), Skill("ring", "Calls."))
    ["description 'Rings.' or 'Calls.'", "parameter 'who' only in the first"]
    """
    differences = _compare_fields(first, second, ("name", "parameters", "place", "inferred"))
    others = {parameter.name: parameter for parameter in second.parameters}
    for parameter in first.parameters:
        other = others.pop(parameter.name, None)
        if other is None:
            differences.append(f"parameter {parameter.name!r} only in the first")
        else:
            changed = _compare_parameters(parameter, other)
            differences += [f"parameter {parameter.name!r}: {difference}" for difference in changed]
    differences += [f"parameter {name!r} only in the second" for name in others]
    if not differences and first.parameters != second.parameters:
        differences.append("the order of the parameters")
    return differences


def _compare_parameters(first: Parameter, second: Parameter) -> list[str]:
    """Compare two parameters: their fields, and the places at which their schemas differ."""
    differences = _compare_fields(first, second, ("schema",))
    schemas = [
        None if parameter.schema is None else build_value_schema(parameter) for parameter in (first, second)
    ]
    if schemas[0] == schemas[1]:
        return differences
    if schemas[0] is None or schemas[1] is None:
        return differences or ["only one has a JSON Schema"]
    places = find_schema_differences(schemas[0], schemas[1])
    return differences + [f"{place} {before} or {after}" for place, before, after in places]


def find_schema_differences(first: Any, second: Any, place: str = "schema") -> list[tuple[str, str, str]]:
    """Find where two schemas differ: the innermost places, with what each has there.

    >>> find_schema_differences({"items": {"type": "string"}}, {"items": {"type": "integer"}, "minItems": 1})
    [('schema.items.type', "'string'", "'integer'"), ('schema.minItems', 'missing', '1')]
    """
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return [
            difference
            for key in {**first, **second}
            if (key in first) != (key in second) or first[key] != second[key]
            for difference in find_schema_differences(
                first.get(key, _MISSING), second.get(key, _MISSING), f"{place}.{key}"
            )
        ]
    shown = ["missing" if value is _MISSING else repr(value) for value in (first, second)]
    before, after = (text if len(text) <= 60 else f"{text[:59]}…" for text in shown)
    return [(place, before, after)]


def _compare_fields(
    first: msgspec.Struct, second: msgspec.Struct, ignored: Collection[str] = ()
) -> list[str]:
    pairs = {
        name: (getattr(first, name), getattr(second, name))
        for name in first.__struct_fields__
        if name not in ignored
    }
    return [
        f"{name} {_format_value(before)} or {_format_value(after)}"
        for name, (before, after) in pairs.items()
        if before != after
    ]


def _format_value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "any" if value is None else str(value)
    return quote_text("|".join(value) if isinstance(value, tuple) else str(value))


def _describe_clash(
    first: tuple[str, Skill], second: tuple[str, Skill], differences: Sequence[str], united: Skill | None
) -> Diagnostic:
    """Describe a clash. united: both definitions as one, if that is possible."""
    (first_source, known), (source, skill) = first, second
    path, _, line = skill.place.rpartition(":")
    return Diagnostic(
        path=path or f"source {source}",
        line=int(line) if path else None,
        code="clashing_skill",
        found=f"skill {skill.name!r} of source {source!r}, which source {first_source!r} defines differently"
        f" ({known.place or 'inferred from its examples'}): {summarize_names(differences)}",
        expected="one definition per name",
        fix=_FIX
        if united is None or first_source == source
        else f"{_FIX}, or set compile.same_skill to union",
    )


def place_skills(skills: Iterable[Skill], files: Mapping[str, bytes]) -> tuple[Skill, ...]:
    """Return the skills with the places where files of their source define them. files: their bytes, by path."""
    return tuple(msgspec.structs.replace(skill, place=find_definition(skill.name, files)) for skill in skills)


def find_definition(name: str, files: Mapping[str, bytes]) -> str:
    """Find where files of a source define a skill or service: `path:line`; in no file: an empty text.

    files: their bytes, by path. A signature or a quoted name of a definition is preferred to other mentions.

    >>> find_definition("ring", {"ring.md": b"#### Prompt:\\nring(who=[whom])"})
    'ring.md:2'
    """
    word = re.escape(name.encode("utf-8", "surrogateescape"))
    patterns = (
        rb'"(?:name|service_name|operationId)"\s*:\s*"%b"' % word,
        rb"(?m)^\s*%b\s*\(" % word,
        rb'"%b"\s*:' % word,
        rb"(?<!\w)%b(?!\w)" % word,
    )
    for pattern in patterns:
        for path, data in sorted(files.items()):
            match = re.search(pattern, data)
            if match is not None:
                return f"{path}:{data.count(bytes([10]), 0, match.end()) + 1}"
    return ""
