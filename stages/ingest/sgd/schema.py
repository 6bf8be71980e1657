"""`schema.json`: the services, as skills of the catalog.

A skill's name is `<service>_<intent>`: several services have an intent of the same name, and a
function's name must be unique.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.dataset.catalog import Parameter, Skill
from stages.ingest.reading import decoded_bytes
from stages.ingest.sgd.dialogues import not_json

NO_INTENT: Final = "NONE"
"""The active intent of a user who wants nothing of the service."""
BOOLEANS: Final = frozenset({"True", "False"})


class SchemaSlot(msgspec.Struct, frozen=True):
    """A slot of a service."""

    name: str
    description: str = ""
    is_categorical: bool = False
    possible_values: tuple[str, ...] = ()

    @property
    def is_boolean(self) -> bool:
        """Whether its only values are True and False."""
        return self.is_categorical and bool(self.possible_values) and set(self.possible_values) <= BOOLEANS


class Intent(msgspec.Struct, frozen=True):
    """Something that a service can do."""

    name: str
    description: str = ""
    required_slots: tuple[str, ...] = ()
    optional_slots: dict[str, str] = {}
    result_slots: tuple[str, ...] = ()


class Service(msgspec.Struct, frozen=True, dict=True):
    """An API family."""

    service_name: str
    description: str = ""
    slots: tuple[SchemaSlot, ...] = ()
    intents: tuple[Intent, ...] = ()

    @cached_property
    def slot_by_name(self) -> dict[str, SchemaSlot]:
        """The slots by their names."""
        return {one.name: one for one in self.slots}

    @cached_property
    def intent_names(self) -> frozenset[str]:
        """The names of the intents."""
        return frozenset(one.name for one in self.intents)


_decode = msgspec.json.Decoder(list[Service]).decode


def decode_schema(path: str, data: bytes) -> tuple[Service, ...]:
    """The services of a `schema.json`. Raises `UserError` where it is none."""
    try:
        return tuple(_decode(decoded_bytes(path, data)))
    except msgspec.DecodeError as error:
        raise UserError([not_json(path, data, error, "a list of services")]) from None


def merge_services(schemas: Mapping[str, Iterable[Service]]) -> dict[str, Service]:
    """All services of several schemas, by name.

    schemas: the services of each `schema.json`, by its path.
    Raises `UserError` for every service that two of them define differently.
    """
    services: dict[str, Service] = {}
    seen: dict[str, str] = {}
    clashes = []
    for path, several in schemas.items():
        for service in several:
            name = service.service_name
            if services.setdefault(name, service) != service:
                clashes.append(
                    Diagnostic(
                        path=path,
                        code="clashing_service",
                        found=f"service {name!r}, which {seen[name]} defines otherwise",
                        expected="one definition of a service in all splits",
                        fix="read the splits as two sources, or make the definitions equal",
                    )
                )
            seen.setdefault(name, path)
    if clashes:
        raise UserError(clashes)
    return services


def skill_name(service: str, intent: str) -> str:
    """The name under which an intent stands in the catalog."""
    return f"{service}_{intent}"


def skills_of(service: Service, recognizer: str | None) -> tuple[Skill, ...]:
    """The intents of a service as skills, with its slots as their parameters.

    Beside the slots that the intent asks for, a skill has, as optional parameters, those results of
    it that another intent of the service asks for: accepting an offer ("the second one, please")
    fills them while the search is still the active intent.
    recognizer: what recognizes the values of free slots.
    """
    return tuple(
        Skill(
            name=skill_name(service.service_name, intent.name),
            description=f"{service.description}: {intent.description}",
            service=service.service_name,
            parameters=tuple(
                _parameter(slot, slot.name in intent.required_slots, recognizer)
                for slot in _slots_of(service, intent)
            ),
        )
        for intent in service.intents
    )


def _slots_of(service: Service, intent: Intent) -> list[SchemaSlot]:
    asked_for = {name for other in service.intents for name in (*other.required_slots, *other.optional_slots)}
    accepted = [name for name in intent.result_slots if name in asked_for]
    names = dict.fromkeys([*intent.required_slots, *intent.optional_slots, *accepted])
    return [service.slot_by_name[name] for name in names if name in service.slot_by_name]


def _parameter(slot: SchemaSlot, required: bool, recognizer: str | None) -> Parameter:
    return Parameter(
        name=slot.name,
        description=slot.description,
        type="boolean" if slot.is_boolean else "string",
        enum=slot.possible_values if slot.is_categorical and not slot.is_boolean else (),
        required=required,
        recognizer=None if slot.is_categorical else recognizer,
    )
