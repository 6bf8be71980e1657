"""What changed in the catalog between two revisions, and the examples that no longer fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from exemplars.core.ledger import format_place
from exemplars.core.literals import format_literal
from exemplars.core.records import DONTCARE, Exemplar, LabelledArgument
from exemplars.core.slot_paths import find_root
from exemplars.dataset.catalog import Skill
from exemplars.dataset.catalog_merge import find_schema_differences
from exemplars.dataset.leaves import decode_leaf, is_leaf_of
from exemplars.dataset.parameter_schemas import build_value_schema
from exemplars.dataset.parameters import Parameter
from stages.compile.schema_checks import find_schema_problems

_SHOWN_FIELDS: Final = (
    "type",
    "enum",
    "required",
    "recognizer",
    "composed",
    "default",
    "dontcare",
    "description",
)
"""The fields of a parameter that are compared, in the order of the report."""
_Fits = Callable[[Exemplar], bool]


class CatalogChange(msgspec.Struct, frozen=True):
    """One thing that changed in the catalog."""

    kind: str
    """`skill added`, `skill removed`, `parameter added`, `parameter removed`, or `changed`."""
    skill: str
    parameter: str | None = None
    field: str | None = None
    """What of it changed, for `changed`: `type`, `enum`, `required`, ..."""
    old: str | None = None
    new: str | None = None
    places: tuple[str, ...] = ()
    """The examples, as they were, that do not fit the new catalog: `path:line`."""


def find_catalog_changes(
    old: Sequence[Skill], new: Sequence[Skill], exemplars: Iterable[Exemplar], folders: Mapping[str, str]
) -> list[CatalogChange]:
    """Find what changed between two catalogs, in the order of the names.

    exemplars: those of the old revision. folders: of the sources, by name, for the places of examples.
    """
    by_skill: dict[str, list[Exemplar]] = {}
    for exemplar in exemplars:
        if exemplar.skill is not None:
            by_skill.setdefault(exemplar.skill, []).append(exemplar)
    before, after = ({skill.name: skill for skill in skills} for skills in (old, new))
    changes: list[CatalogChange] = []
    for name in sorted(before.keys() | after.keys()):
        rows = by_skill.get(name, [])
        for change, fits in _compare_skills(name, before.get(name), after.get(name)):
            places = tuple(_format_place(row, folders) for row in rows if not fits(row))
            changes.append(msgspec.structs.replace(change, places=places))
    return changes


def _compare_skills(name: str, old: Skill | None, new: Skill | None) -> Iterator[tuple[CatalogChange, _Fits]]:
    """Yield each change of a skill, with the check whether an example still fits."""
    if old is None or new is None:
        yield CatalogChange(f"skill {'added' if old is None else 'removed'}", name), lambda _: new is not None
        return
    if old.description != new.description:
        yield (
            CatalogChange("changed", name, None, "description", old.description, new.description),
            _fits_always,
        )
    before, after = ({parameter.name: parameter for parameter in skill.parameters} for skill in (old, new))
    for slot in [*before, *(slot for slot in after if slot not in before)]:
        yield from _compare_parameters(name, slot, before.get(slot), after.get(slot))


def _compare_parameters(
    skill: str, slot: str, old: Parameter | None, new: Parameter | None
) -> Iterator[tuple[CatalogChange, _Fits]]:
    if new is None:
        yield CatalogChange("parameter removed", skill, slot), lambda row: not _list_leaves(row, slot)
    elif old is None:
        change = CatalogChange("parameter added", skill, slot, new="required" if new.required else "optional")
        yield change, _fits_always if not new.required else lambda row: bool(_list_leaves(row, slot))
    else:
        for field in _SHOWN_FIELDS:
            was, now = (_format_value(getattr(parameter, field)) for parameter in (old, new))
            if was != now:
                yield CatalogChange("changed", skill, slot, field, was, now), _make_check(new, field)
        yield from _compare_schemas(skill, old, new)


def _compare_schemas(skill: str, old: Parameter, new: Parameter) -> Iterator[tuple[CatalogChange, _Fits]]:
    """Yield the places at which the JSON Schemas of a parameter differ, beyond what its fields say."""
    if old.schema is None and new.schema is None:
        return
    for difference in find_schema_differences(build_value_schema(old), build_value_schema(new)):
        place, was, now = difference
        if place.removeprefix("schema.") not in _SHOWN_FIELDS:
            change = CatalogChange("changed", skill, new.name, place, was, now)
            yield change, _make_check(new, "schema")


def _make_check(parameter: Parameter, field: str) -> _Fits:
    """Make the check whether an example fits a parameter of which a field changed."""
    if field == "required" and parameter.required:
        return lambda row: bool(_list_leaves(row, parameter.name))
    if field not in ("type", "enum", "dontcare", "schema"):
        return _fits_always
    skill = Skill("", parameters=(parameter,))
    return lambda row: (
        all(_fits_leaf(leaf, skill) for leaf in _list_leaves(row, parameter.name))
        and not find_schema_problems(_list_leaves(row, parameter.name), skill)
    )


def _fits_leaf(label: LabelledArgument, skill: Skill) -> bool:
    parameter = skill.find_parameter(label.slot)
    if parameter is None or (label.value == DONTCARE and parameter.accepts_dontcare):
        return parameter is not None
    leaf = decode_leaf(label.value, parameter)
    is_listed = not parameter.enum or leaf is None or format_literal(leaf) in parameter.enum
    return is_listed and is_leaf_of(leaf, parameter)


def _fits_always(_: Exemplar) -> bool:
    return True


def _list_leaves(row: Exemplar, name: str) -> list[LabelledArgument]:
    """List the leaves of a call that a parameter has."""
    return [
        LabelledArgument(argument.slot, argument.value)
        for argument in row.arguments
        if find_root(argument.slot) == name
    ]


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "any value"
    return "any" if value is None else str(value)


def _format_place(row: Exemplar, folders: Mapping[str, str]) -> str:
    folder = folders.get(row.source)
    path = row.origin.path if folder is None else f"{folder}/{row.origin.path}"
    return format_place(msgspec.structs.replace(row.origin, path=path))


def count_misfits(changes: Iterable[CatalogChange]) -> int:
    """Count the examples that do not fit the new catalog."""
    return len({place for change in changes for place in change.places})
