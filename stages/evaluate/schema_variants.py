"""The schema variants of SGD-X: the same services, with names and descriptions that other people wrote.

Lee et al. 2022, SGD-X: A Benchmark for Robust Generalization in Schema-Guided Dialogue Systems
([arXiv 2110.06800](https://arxiv.org/abs/2110.06800)). A variant has its services, intents and slots in the order of
the original schema; v1 is nearest to it, v5 farthest from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_json
from exemplars.dataset.catalog import Skill

_FOLDERS: Final = ("train", "dev", "test")
_CODE: Final = "schema_variants"
_FIX: Final = "let evaluate.schema_variants name the folder of the release that has `sgd_x` in it"


class _Part(msgspec.Struct, frozen=True):
    """An intent or a slot."""

    name: str
    description: str = ""


class Service(msgspec.Struct, frozen=True):
    """A service of a schema, as far as it has names and descriptions."""

    service_name: str
    description: str = ""
    slots: tuple[_Part, ...] = ()
    intents: tuple[_Part, ...] = ()


def rename_by_variant(skills: Mapping[str, Skill], folder: Path, version: int) -> dict[str, Skill]:
    """Rename the skills of SGD's services as a variant does, by their own names; others stay as they are.

    folder: of the release. version: of the variant, from 1. Raises `UserError` if a schema is missing or damaged, if a
    variant has other services than the original, or if no skill of the catalog is in the schemas.
    """
    renamed: dict[str, Skill] = {}
    for name in _FOLDERS:
        original, variant = folder / name / "schema.json", folder / f"sgd_x/v{version}" / name / "schema.json"
        if original.is_file() or name == _FOLDERS[-1]:
            pairs = _pair_services(variant, _read_schema(original), _read_schema(variant))
            for service, other in pairs:
                renamed |= _rename_service(skills, service, other)
    if not renamed:
        raise UserError(
            [_describe(folder, "no skill of the catalog in its schemas", "the services of the test rows")]
        )
    return {**skills, **renamed}


def _read_schema(path: Path) -> list[Service]:
    return read_json(path, list[Service], code=_CODE, expected="the schema of SGD's services", fix=_FIX)


def _pair_services(
    path: Path, services: Sequence[Service], others: Sequence[Service]
) -> Iterator[tuple[Service, Service]]:
    """Yield each service with its variant. path: of the variants, for messages."""
    if len(services) != len(others):
        raise UserError([_describe(path, f"{len(others)} services", f"{len(services)}, as the original has")])
    for service, other in zip(services, others, strict=True):
        own, changed = ((len(side.slots), len(side.intents)) for side in (service, other))
        if own != changed:
            found = f"{other.service_name} with {changed[0]} slots and {changed[1]} intents"
            expected = f"{own[0]} and {own[1]}, as {service.service_name} has"
            raise UserError([_describe(path, found, expected)])
        yield service, other


def _rename_service(skills: Mapping[str, Skill], service: Service, other: Service) -> dict[str, Skill]:
    """Rename the skills of a service that the catalog has, by their own names."""
    slots = {slot.name: variant for slot, variant in zip(service.slots, other.slots, strict=True)}
    renamed = {}
    for intent, variant in zip(service.intents, other.intents, strict=True):
        skill = skills.get(f"{service.service_name}_{intent.name}")
        if skill is None:
            continue
        renamed[skill.name] = msgspec.structs.replace(
            skill,
            name=f"{other.service_name}_{variant.name}",
            description=f"{other.description}: {variant.description}",
            parameters=tuple(
                msgspec.structs.replace(parameter, name=slot.name, description=slot.description)
                if (slot := slots.get(parameter.name)) is not None
                else parameter
                for parameter in skill.parameters
            ),
        )
    return renamed


def _describe(path: Path, found: str, expected: str) -> Diagnostic:
    return Diagnostic(path=str(path), code=_CODE, found=found, expected=expected, fix=_FIX)
